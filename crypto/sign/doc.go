// Package sign makes and checks the hybrid signatures of the network: Ed25519
// (RFC 8032) and ML-DSA (FIPS 204) side by side, both of which must verify.
//
// A key serves one [Purpose]. Its id is the hash of the purpose and both
// public keys, so whoever names a key by its id has named the pair, and
// neither half can be exchanged or left out. A signature is made under a
// [Label] that says what kind of bytes it is about:
//
//	key, err := sign.Generate(sign.PurposeEnvelope)
//	if err != nil { ... }
//	sig, err := key.Sign(sign.LabelEntries, header)
//	if err != nil { ... }
//	err = key.Public().Verify(sign.LabelEntries, header, sig)
//
// Ed25519 signs label ‖ 0x00 ‖ SHA-512(message). ML-DSA-65 signs
// SHA-512(message) with the label as its context string, hedged with fresh
// randomness.
//
// Cosigning, log and TLS keys live here too, for their ids and encodings, but
// what they sign is fixed by other standards (C2SP, TLS); packages that speak
// those take the bare keys out with [PrivateKey.Ed25519] and
// [PrivateKey.MLDSA44].
//
// # Promises
//
//  1. A signature stands as long as either of the two algorithms does.
//  2. A signature made under one label, or by a key of one purpose, is refused
//     under any other.
//  3. A public key has exactly one encoding; what [ParsePublicKey] accepts it
//     gives back byte for byte.
//  4. A private key prints as "[private key]" through fmt, log/slog and
//     encoding/json, also from within a larger value.
//
// # Trust
//
// Public keys, messages and signatures may be hostile. That a key belongs to
// whom it claims is the roster's word, not this package's. Keys hold their
// secrets in ordinary memory: Go offers no dependable way to lock or wipe it.
package sign
