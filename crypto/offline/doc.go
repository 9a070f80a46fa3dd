// Package offline seals streams to a key that is kept away from the network's
// machines, on paper or on a token in a safe.
//
// The public half, a [Recipient], is all that a node needs to seal; the
// private half, a [Key], comes back only to open:
//
//	key, err := offline.NewKey()              // on a machine without a network
//	w, err := offline.Seal(file, key.Recipient())
//	_, err = io.Copy(w, salts)
//	err = w.Close()
//	...
//	r, err := offline.Open(file, key)
//
// A sealed stream is an age file (age-encryption.org/v1), which a stock age
// opens, under age's hybrid of ML-KEM-768 and X25519: what is sealed today may
// lie in a cupboard until somebody has a quantum computer. Recipients and keys
// of any other kind are refused.
//
// # Promises
//
//  1. A wrong key, a changed byte and a missing end are seen. What was read
//     before is authentic, but only the end of a stream says that it is whole:
//     readers read on to io.EOF before they believe it.
//  2. Keys print as "[offline key]". Memory does not grow with the stream.
//
// # Trust
//
// Whoever has the key reads everything sealed to it. A stream may be hostile.
package offline
