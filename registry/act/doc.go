// Package act defines the public decisions of a network: what institutions
// say to all nodes at once, in clear, on the log.
//
// An [Act] travels as the only body of an envelope of kind act. It has a type,
// a payload and, where the type asks for them, approvals by lead hospitals
// bound to the roster version and an expiry:
//
//	a := act.Act{Type: act.TypeUnopenable, Payload: act.Unopenable{...}.Marshal()}
//	raw := a.Marshal()
//
// The first act of every network is its [Genesis]: the founding institutions
// with their keys, the nodes, the reader rights and the parameters that never
// change. Its hash is the network id, so two networks never share a signature.
// Institutions for which it has no room come in by [Admission]. Keys change by
// [Rotation] and [Revocation]; a [Grant] gives a new reader old entries.
// A [Withdrawal] has entries erased, and an [ErasureReceipt] says that a node did.
// A [Promotion] with its [Readiness], a [Demotion], a [Removal] and an [Enrolment]
// change who votes and who belongs to the network, [Settings] and [RightsChange]
// its rules. A [Feature] act raises the feature level, once the [Support] of every
// voter says that its build knows it; an [Edition] adds disease lists.
//
// An act of a type that lead hospitals approve ([Type.NeedsApproval]) is put
// forward as a [Proposal]; each of them says yes with a [ProposalApproval], and
// with q of them the act is complete.
//
// # Promises
//
//  1. What [Decode] and the payload decoders accept encodes back to the same
//     bytes.
//  2. A type without an entry in the table of docs/PROTOCOL.md "Acts" decodes
//     as an Act, and is refused by the state machine by name, not crashed on.
//
// # Trust
//
// None: checking approvals against the roster is the state machine's work
// (package consensus/state), with [Act.ApprovalMessage] for the bytes.
package act
