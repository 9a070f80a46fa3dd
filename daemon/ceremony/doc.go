// Package ceremony takes this institution's part in key ceremonies: the birth
// of the pseudonymisation key, which no one ever knows whole, and its moves to
// new holders.
//
//	d := ceremony.New(ceremony.Config{...})
//	go d.Run(ctx)
//	err := d.Start(ctx, deadline)      // a holder: the founders' key
//	err := d.Contribute(ctx)           // an old holder's operator: a reshare
//
// # How a ceremony runs
//
// Everything happens on the log, and the state machine judges all that public
// bytes show (consensus/state.Ceremony). The steps of a holder:
//
//	open      an act names holders, threshold and deadline
//	join      every new holder posts a key of this ceremony and, for a new key,
//	          a commitment to what it will deal
//	deal      every dealer posts commitments to its polynomial and a share for
//	          each new holder, sealed to that key
//	confirm   every new holder opens its shares, keeps the sum, and signs the
//	          hash of the whole run
//	activate  one of them posts a checkpoint that all have cosigned: the epoch
//	          is in force
//
// The founders' key is made by the daemons alone, once one of them starts the
// ceremony: nothing is at stake before it is in force. In a reshare the old
// holders' daemons do nothing: each operator contributes, or does not.
//
// A holder that is dealt a false share publishes the evidence, and the run is
// void; so it is if a holder loses its secrets or the deadline passes. Then
// nothing was gained or lost, and another may start.
//
// # Promises
//
//  1. A share is durable before it is confirmed, and in use only once its epoch
//     is in force. The share before it is destroyed then.
//  2. The secrets of a run (ceremony key and polynomial) are kept in memory, or
//     in the service manager's runtime directory if that is a tmpfs, and never
//     on a disk. Without them the holder gives the run up by name.
//  3. A crash between any two steps resumes the run or voids it.
//
// # Trust
//
// Fewer than t holders learn nothing of the key, and cannot keep an honest
// holder from noticing a false share. Old holders that kept their shares keep
// the key: a reshare protects against those that are compromised later.
package ceremony
