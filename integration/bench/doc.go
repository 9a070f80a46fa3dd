// Command bench measures a network of three voters as processes on this
// machine's one disk, part of it against plain Raft and etcd:
//
//	make bench                                    # all of it, an hour
//	make bench BENCH='-parts windows -rounds 9'   # a part, longer
//	make bench BENCH='-parts erasure -into bench.json' # a part, its figures among those of the run before
//	make bench BENCH='-parts failover -kills 200 -entries 0'
//
// It prints medians with their spread and the goals beside them, and writes
// every figure of every round to a JSON file. docs/BENCHMARKS.md says what is
// measured how, and what was reached.
//
// # Parts
//
//   - windows: raresync, plain Raft and etcd commit the same bytes in turns,
//     in another order each round: other work on the machine moves absolute
//     figures by a factor of two from minute to minute while ratios within a
//     round stay. Then raresync and plain Raft for a minute each.
//   - scale: memory, disk, restarts and catching up with a million entries.
//   - mirror: a fresh mirror verifies and stores the log.
//   - failover: what a client sees of a leader that is stopped or killed.
//   - erasure: what a withdrawal of a hundred entries of that million takes, and
//     what other hospitals, who commit meanwhile, see of it.
//   - large: restart and memory with ten million entries, in a log that no Raft
//     made ([bench.stocked]).
//   - idle: what a mirror costs while nobody sends anything.
//   - mirrors: what the leader spends while 324 mirrors, each a process, follow
//     the log. It wants ten gigabytes of memory and a machine of its own.
//   - backfill: 780,000 made-up cases from files to receipts, by 324 hospitals.
//   - links: one client, while all connections between voters are late.
//
// # Rivals
//
// Raw is hashicorp/raft with raft-boltdb and an empty state machine, with the
// settings, sessions, HTTP and envelopes of raresync. etcd, if it is installed,
// runs without TLS and is spoken to in its own protocol.
//
// A hospital has one chain of envelopes and one of them under way, so there are
// as many clients as hospitals: eleven founders and five that acts let in. Raw
// has as many. Hospitals submit through the sessions of those that do not vote,
// whose processes this program stands in for. Nothing here is a test with a
// limit: the machine decides what is reached.
package main
