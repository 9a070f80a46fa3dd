// Package fault names the places where a test makes this program fail on
// purpose: steps at which it crashes, and bugs that it plants.
//
//	fault.At(fault.SnapshotSynced)          // a crash may come here
//	if fault.Planted(fault.NoFsync) { ... } // the mistake that a test must find
//
// In an ordinary build both do nothing and cost nothing: [At] is empty and
// [Planted] is always false. Only a build with the tag "faults" listens. There
// a process that was started with
//
//	RARESYNC_CRASH_AT=snapshot/synced#2  kills itself when it comes to the step
//	                                     for the second time (#1 if left out)
//	RARESYNC_PLANT=no-fsync              makes the mistake
//
// and a test in the same process uses Plant and Watch, which only that build
// has. docs/FAULTS.md lists every step and bug with the test that needs it.
package fault
