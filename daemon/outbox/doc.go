// Package outbox takes a hospital's sealed entries to the network, each
// exactly once, across crashes, refusals and long absences.
//
//	o, err := outbox.Open(outbox.Config{...})
//	go o.Run(ctx)
//	placed, err := o.AddEntries(ctx, groups)      // durable when it returns
//	r, err := o.WaitReceipt(ctx, placed[0].Sequence)
//
// # The life of an envelope
//
// It is built, signed and fsynced before anybody else sees it. One envelope at
// a time is sent; the same bytes again and again until the network answers.
// Accepted, it stays until a checkpoint of a majority covers it; then its
// receipt is written and it goes.
//
// An envelope is built anew, with fresh keys and the next attempt, only after
// the network refused it for good reason (an outdated reader set or key). Its
// plaintexts come from the envelope itself, which the hospital can open:
// nothing unsealed is ever stored. They also tell for whom it is meant: an
// entry for one institution, as a referral is, shares an envelope with such
// entries only, and that institution is put into a slot.
//
// # After a restore
//
// Before anything is built or sent, the outbox is compared with the log. What
// the log holds of this hospital and the outbox does not, an earlier life has
// sent: it is opened, its entry ids are remembered, and it gets its receipt.
// What a backup had under way and lost its place to those goes behind them,
// under the next free sequence, without the entries that the log has. A second
// instance that goes on sending is not an earlier life: then this one stops,
// with an alarm.
//
// # Promises
//
//  1. What AddEntries returned nil for reaches the log exactly once or raises
//     an alarm; a crash at any moment changes nothing about it.
//     An act that the network refuses for what it says goes, so that nothing
//     waits behind it; [Outbox.PostAct] tells who posted it.
//  2. An entry id that was ever taken is not taken again, so dropping the same
//     file twice adds nothing; nor is an act.
//  3. Two different envelopes never carry the same sequence and attempt.
package outbox
