// Package keyfile keeps a node's secrets in sealed files: signing keys,
// sealing keys, key shares and whatever other secret needs a name.
//
// A [Bundle] is a set of named secrets. It is sealed as one age file
// (age-encryption.org/v1, which a stock age can open) under a file [Key], and
// the file key comes from the service manager's credentials:
//
//	var b keyfile.Bundle
//	err := b.PutSign("envelope", signKey)
//	err = b.PutSeed("sealing", seed[:])
//	key, err := keyfile.NewKey()
//	file, err := keyfile.Seal(&b, key)
//	...
//	key, err := keyfile.ParseKey(credential)
//	b, err := keyfile.Open(file, key)
//	signKey, err := b.Sign("envelope")
//
// [SealPassphrase] and [OpenPassphrase] serve offline copies, which a person
// opens by hand. The file key is post-quantum: age's hybrid of ML-KEM-768 and
// X25519.
//
// The package takes and gives bytes; where files lie and who may read them is
// the caller's business.
//
// Inside, a bundle is the deterministic CBOR array [1, [[name, purpose, first,
// second]...]], names ascending. For a signing key first and second are its
// halves in PKCS#8: Ed25519 as in RFC 8410 section 7, ML-DSA in the seed form
// of RFC 9881 section 6, empty for a log or TLS key. For any other secret the
// purpose is 0, first is the secret and second is empty.
//
// # Promises
//
//  1. A wrong key, a damaged or shortened file and a format of the future are
//     refused, each under its own name.
//  2. What opens seals back to the same bundle; a bundle has one encoding.
//  3. Keys and bundles print as "[file key]" and "[key bundle]".
//
// # Trust
//
// Whoever reads the file key reads everything. A file may be hostile: it is
// authenticated before anything in it is read, at most [MaxFileBytes] are
// looked at, and a passphrase file that asks for excessive work is refused.
package keyfile
