// Package machine applies envelopes: it asks the state whether one may enter,
// gives it its place, and writes it to the ledger. Voters call [Machine.Apply]
// from Raft, mirrors from their puller; there is no second way in.
//
//	m, err := machine.Open(dir, genesis)
//	out, err := m.Apply(raw, leaderTime)
//	if out.Refusal != nil { ... }         // the same on every node
//
// # One restore path
//
// [Machine.Restore] makes the ledger equal to a snapshot, whatever brought it:
// a start, InstallSnapshot, a recovery. A ledger that is longer is truncated.
// A ledger that is shorter has a gap: Apply waits while [Machine.Fill] takes
// the missing envelopes from any peer, each verified like any other, and the
// gap closes only when the state re-derived from them equals the snapshot's
// to the byte. If it does not, or on the way there an envelope does not fit,
// some peer lied, and which one cannot be told: two envelopes in exchanged
// order both verify. The machine then goes back to the gap's lower edge, and
// the caller fills it from one peer alone. What was filled is kept over a restart
// if [Machine.SaveProgress] made it durable.
//
// # Damage
//
// [Machine.Envelope], [Machine.RootAt] and [Machine.Prove] account for every
// byte that they return. What the disk does not return as it was written is a
// gap in the middle: [Machine.Damage] says so, those reads answer ErrGap, and
// applies go on. [Machine.Survey], [Machine.MendAlone] and [Machine.Mend] write
// it again, and [Machine.Settle] believes that when the tree over it has the
// root of the state.
//
// # Promises
//
//  1. An error from Apply or Restore means that this node's storage failed or
//     that its ledger is another log's; the process stops. Everything else is a refusal. Two errors blame
//     nobody here: ErrClosed from Apply, and ErrDiverged from Fill, which is a
//     peer's fault.
//  2. Reads answer for what was applied, and never from a gap or damage.
//
// A Machine is safe for concurrent use; applies are serialised.
package machine
