// Package envelope is what a hospital signs and every node stores: 1 to 1024
// sealed entries, or one public act, under one header and one hybrid
// signature.
//
// A hospital builds an envelope from the plaintexts of its entries:
//
//	env, places, err := envelope.BuildEntries(link, readers, entries, key, rand)
//
// and any node reads the bytes back and checks what needs no state:
//
//	env, err = envelope.Decode(raw)
//	err = env.CheckBodies(env.Commitments()) // those the header covers
//	err = env.VerifySignature(publicKey)     // both halves
//
// A reader opens what it has a right to with [Envelope.Open].
//
// Of an erased entry nodes hold and hand on the commitment and the length alone:
// [DecodeHeld] reads such an envelope, [Envelope.Erase] makes one. The header,
// and with it the id and the signature, stays the same.
//
// Whether the sender is a member, whether the sequence is next and whether the
// reader set is current is the state machine's to say (package consensus/state).
//
// # Bytes
//
// docs/PROTOCOL.md sections "Envelope" and "Sealing" are the reference. The
// codec is written by hand on crypto/cbor: exact lengths, no optional forms,
// no trailing bytes. [Decode] keeps the bytes it was given; nothing is ever
// serialised again before it is verified, hashed or stored.
//
// # Promises
//
//  1. What Decode accepts, [Envelope.Marshal] returns unchanged.
//  2. Decode reads at most [MaxBytes] and allocates in proportion to its input.
//  3. Entries are shuffled by BuildEntries, so place says nothing about file order.
//
// # Trust
//
// None: the bytes may come from anybody.
package envelope
