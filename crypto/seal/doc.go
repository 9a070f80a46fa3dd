// Package seal closes entries so that only their readers can open them.
//
// An envelope has two keys, its [KEKs]: one for clinical entries, one for
// genetic ones. Each entry is sealed into a [Body] under a key derived from
// the KEK of its [Part], and the KEKs are wrapped once to every reader. All
// names and numbers that must not be exchanged are in the [Context]:
//
//	c := seal.Context{Network: network, Hospital: 7, Sequence: 12, Attempt: 1}
//	keks, err := seal.NewKEKs(rand.Reader)
//	body, err := c.Seal(0, seal.Clinical, keks.Clinical, salt, entry)
//	wrap, err := c.Wrap(reader, keks, seal.Rights{Clinical: true}, rand.Reader)
//
// and at the reader, with the two commitments from the envelope's header:
//
//	opened, err := c.Unwrap(key, wrap, commitC, commitG)
//	err = opened.CheckRights(seal.Rights{Clinical: true})
//	part, entry, err := c.Open(0, opened.KEKs, body)
//
// A reader hands an envelope's keys on to another with [Grant.Wrap].
//
// Bodies are AES-256-GCM under single-use keys from HKDF-SHA256 (RFC 5869).
// Wraps are HPKE base mode (RFC 9180) with the hybrid KEM MLKEM768X25519, also
// known as X-Wing, HKDF-SHA256 and AES-256-GCM.
//
// # Promises
//
//  1. A body or wrap moved to another network, hospital, sequence, attempt or
//     place does not open.
//  2. All readers of a part open it with the same key or see that they were
//     given another: AES-GCM alone would let one ciphertext open to two texts
//     under two keys, so the header commits to each KEK.
//  3. A body's length tells a size class, 512·2^k bytes, and nothing finer.
//  4. A wrap tells nothing: not the reader's rights, and in a slot not even
//     whether there is a reader.
//  5. KEKs and private keys print as "[sealing key]".
//
// # Trust
//
// Public keys, wraps and bodies may be hostile. Whoever seals an entry is
// trusted with its content and nothing else; whoever holds a KEK can open its
// part of that one envelope for ever.
package seal
