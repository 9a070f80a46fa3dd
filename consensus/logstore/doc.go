// Package logstore keeps what Raft must not lose: its log (log.db), its term
// and vote (stable.db) and its snapshots. It stands between hashicorp/raft
// and the stores made for it, because those accept a flipped bit, half a
// change and a full disk too quietly.
//
//	log, err := logstore.Open(filepath.Join(dir, "log.db"), logstore.Options{Guard: space, Fatal: stop})
//	votes, err := logstore.OpenStable(filepath.Join(dir, "stable.db"), logstore.StableOptions{Fatal: stop})
//	snapshots, err := logstore.OpenSnapshots(dir, logstore.SnapshotOptions{
//		Written: func(m raft.SnapshotMeta) { log.SetSnapshot(m.Index) }, Fatal: stop})
//	err = snapshots.Check()                       // the newest one is readable
//	newest, found := snapshots.Newest()
//	if found {
//		_, err = log.Anchor(newest.Index, newest.Term) // the log continues it
//	}
//	err = log.Check(newest.Index + 1)             // and is whole: then raft.NewRaft
//
// The state machine's Restore calls Anchor with [Snapshots.Newest] as well,
// and SetApplied follows every apply.
//
// # Promises
//
//  1. What GetLog returns is what StoreLogs was given. Each record carries a
//     CRC-32C over its content and its predecessor's value; damage is
//     [ErrDamaged] and stops the process.
//  2. A refusal ([ErrRefused]) happens before a byte is written and leaves the
//     log as it was, also in the middle of replacing a conflicting suffix.
//  3. A write that failed or took too long is never retried: Fatal is called
//     once, and everything after it is refused.
//  4. No delete removes an applied record that no snapshot covers, and the
//     record at the snapshot's index stays: without it a follower could never
//     be matched with a leader again.
//
// # How a suffix is replaced in one transaction
//
// Raft replaces a conflicting suffix by DeleteRange and then StoreLogs. If
// the second is refused after the first was done, Raft's memory of its last
// index is wrong for ever. Here DeleteRange of a suffix only marks it, and
// the mark is dropped by a refusal. raft-boltdb has no call that deletes and
// writes at once, but its StoreLogs overwrites: so one StoreLogs writes the
// new records and, over what is left of the old suffix, tombstones. A second
// transaction removes the tombstones; should a crash come first, Open does.
//
// The same device puts an anchor, a record with index and term only, at the
// snapshot's index when the whole log had to go.
//
// # Trust
//
// The disk may return wrong bytes; it is trusted to have kept an fsync. Page
// structure is bbolt's: Open walks it read-only first, with memory faults
// turned into errors, because bbolt's own first walk would end the process.
package logstore
