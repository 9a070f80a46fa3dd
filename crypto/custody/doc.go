// Package custody splits secrets among three people, any two of whom can bring
// them back; one alone learns nothing.
//
//	parts, err := custody.Split([][]byte{seed})
//	...
//	secrets, err := custody.Join(parts[0], parts[2])
//
// A random scalar of ristretto255 is shared with threshold 1, so that two
// shares determine it (Shamir; circl's secretsharing), and the secrets are
// sealed with AES-256-GCM under a key that HKDF-SHA256 derives from it. Every
// part holds one share and the same sealed secrets.
//
// # Promises
//
//  1. Two parts of one splitting give the secrets, whichever two they are.
//  2. Parts of two splittings, one part twice, and a part with any byte changed
//     give nothing but [ErrParts].
//  3. Parts print as "[custody part]".
//
// # Trust
//
// Two of the three people together are the holder of the secrets. A part is
// secret: it belongs in a file that its keeper's passphrase seals (package
// crypto/keyfile).
package custody
