// Package reads keeps what a reader has read, and says on the log that it does.
//
//	reading, err := log.Commit(ctx, reads.Question{Account: "console:li", Purpose: act.PurposeQuality, Query: "report quality"})
//	if err != nil { ... } // nothing is shown
//	reading.Saw(act.Span{First: 0, Count: size})
//	err = reading.Close()
//
// # Promises
//
//  1. Commit returns once the log has an act with the purpose, the day and a
//     salted hash of the question; so whatever is shown afterwards has left a mark
//     that every hospital can see. Two acts of a day differ in the purpose and the
//     hash alone, and have one length.
//  2. The record that the hash commits to, and what was read in the end, lie in
//     files of this node, sealed to its own sealing key and to those of the other
//     national readers, who are its auditors. A record that is not shown is missed:
//     the act stays.
//  3. Each day one notice goes to every hospital, all of one size, with the
//     hospital's own indexes that were read.
//
// One act covers the same question of the same account for the same purpose until
// the hour is over; what is read by it is noted each time.
//
// # Trust
//
// A reader has its keys and can open the log without this program, unseen: see
// docs/THREAT-MODEL.md. Below feature level 3 the network does not know the act:
// records are kept, and nothing is said on the log.
package reads
