// Package doctor examines a node from outside: its files, its machine, and the
// way to the other nodes. The daemon need not run, and nothing is changed.
//
//	for _, f := range doctor.Examine(ctx, doctor.Patient{Config: cfg}) {
//		fmt.Println(f.Level, f.Check, f.Says.EN, f.Fix.EN)
//	}
//
// # Promises
//
//  1. Every finding that is not good news says what to do, in Chinese and in
//     English.
//  2. No finding holds a key, a password, or anything about a patient.
//  3. An examination ends within its context: what does not answer by then is a
//     finding.
//
// # What it cannot see
//
// Addresses come from the configuration, the invitation and the genesis: of
// nodes that joined later only the daemon knows, and raresync status tells. An
// examination by another user than the daemon's finds other permissions than the
// daemon would.
package doctor
