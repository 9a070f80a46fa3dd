// Package founding turns the public cards of hospitals and readers into the
// genesis of a network.
//
// Each institution makes a [Card] from its public keys. One of them drafts:
//
//	draft, err := founding.NewDraft(plan)
//
// Every founder reads the draft, checks its own card in it and approves; hospital
// 1 puts the approvals together:
//
//	approval, err := draft.Approve(number, envelopeKey)
//	genesis, err := draft.Finish(approvals, signedAt, envelopeKey)
//
// Cards, drafts and approvals are text files (PEM armour around deterministic
// CBOR), so that they can travel by mail or on paper. None of them is secret.
//
// The pseudonymisation key is made after the founding, by its holders together,
// in a ceremony on the log (package daemon/ceremony). A demo network may have it
// dealt in the draft instead, which holds the shares sealed to their holders.
//
// # Promises
//
//  1. A genesis exists only with the approval of every founder over the same
//     draft, to the byte.
//  2. Whoever drafts knows every dealt share for the moment of dealing. Only a
//     network marked demo accepts a dealt key.
package founding
