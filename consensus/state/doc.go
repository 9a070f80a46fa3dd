// Package state is what the accepted envelopes of a network say: who is a
// member with which keys, whose sequence stands where, who may read, which acts
// wait for approvals, how large the log is. Every node that has seen the same envelopes has the same State,
// to the byte.
//
//	s, first, err := state.Found(genesis)         // envelope 0
//	logTime, err := s.Admit(env, leaderTime, commitments)
//	accepted := s.Accept(env, logTime, commitments)
//
// [State.Admit] answers with a [Refusal] or lets the envelope pass; it changes
// nothing. [State.Accept] then gives the envelope its number and its leaves.
// Voters call both from Raft, mirrors from their puller.
//
// # Promises
//
//  1. No clock, no randomness, no I/O, no map order: the same envelopes in the
//     same order give the same refusals, the same leaves and the same bytes
//     from [State.AppendCBOR], which are the Raft snapshot.
//  2. A refused envelope leaves no trace.
//  3. [State.Clone] costs in proportion to the members, not to the log.
//
// # Trust
//
// Nobody. Membership at that envelope number, both signatures, the sequence,
// the previous id, every commitment and the reader set are checked here on
// every node; what the leader says is taken only for the time.
package state
