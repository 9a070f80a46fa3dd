// Command bench measures a network of three voters against the same bytes in
// plain Raft and against etcd, all as processes on this machine's one disk:
//
//	make bench                                   # about three minutes
//	go run ./integration/bench -binary bin/raresync -rounds 9 -envelopes 20000 -kills 60
//
// The systems take turns within each round, because other work on the machine
// moves absolute figures by a factor of two from minute to minute while ratios
// within a round stay. It prints medians with their spread, and writes every
// figure of every round to a JSON file.
//
//   - raresync: three voters, TLS, fsync on. Envelopes of 93 entries that pad to
//     512 bytes, about 64 KiB, are sealed and signed before the clock starts and
//     counted when the leader answers that they are committed; a verified
//     checkpoint that covers them is the receipt.
//   - raw: hashicorp/raft with raft-boltdb and an empty state machine, with the
//     same settings, sessions, HTTP and envelopes.
//   - etcd, if it is installed: its processes without TLS, over its own protocol.
//
// A hospital has one chain of envelopes and one of them under way, so there are
// as many clients as hospitals: eleven, as many as a genesis can hold beside the
// coordinator. Raw has as many. Hospitals submit through the sessions of those
// that do not vote, whose processes this program stands in for. Nothing here is
// a test with a limit: the machine decides what is reached.
package main
