// Package withdraw carries out at a hospital what its patients decide about
// their entries: that use stops, goes on, or that the entries are erased.
//
//	d, err := withdraw.Open(withdraw.Config{...})
//	go d.Run(ctx)
//	answer, err := d.Decide(ctx, withdraw.Ask{Action: withdraw.Erase, Pseudonym: p, ...})
//	stopped, release, err := d.Hold(ctx)   // what intake asks before it posts
//
// Every decision is a sealed consent entry in the log, posted at once; readers
// leave out the entries it names. An erasure takes an act as well, which
// everybody can read. It holds indexes only, and its time tells nothing: all
// patients of one window of time are withdrawn in one act, at a moment drawn
// from the next window ([Schedule]).
//
// The entries are found in the log: from the patient's pseudonym on, over every
// reference between this hospital's entries ([Find]). Nothing else is needed, so
// a hospital that lost its records still finds them.
//
// # Promises
//
//  1. A decision that Decide returned is carried out, over crashes: the file of
//     decisions is on disk before the consent is posted. If that file is lost,
//     the consents in the log say what is left to do.
//  2. While a person's use is stopped, no entry of that person is posted.
//  3. The time of an act is independent of when, within its window, patients
//     came.
//  4. What is on disk beside the log is sealed to the hospital's own key and
//     holds neither identity nor pseudonym.
//
// # Trust
//
// Whoever types the identity is trusted to act for the patient: the daemon
// cannot know. What others can learn from withdrawals is in
// docs/THREAT-MODEL.md.
package withdraw
