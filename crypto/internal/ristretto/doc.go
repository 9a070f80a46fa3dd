// Package ristretto is the group ristretto255 (RFC 9496), made for speed where
// whole batches are multiplied. The arithmetic of the curve, with its sums of
// many terms, is that of filippo.io/edwards25519: BSD-licensed, the code of Go's
// own crypto/ed25519, and kept by the same people. On it this package builds
// encoding, decoding and hashing to the group. The group library of package
// keyshare has no sums of many terms; the tests compare everything with it.
//
//	e, err := ristretto.Decode(b)
//	product := ristretto.Mul(k, e)                        // secret k
//	sum := ristretto.VarTimeSum(weights, elements)        // public weights
//	b = product.Bytes()
//
// # Promises
//
//  1. What [Decode] accepts, Bytes gives back; non-canonical encodings are
//     refused. The identity is accepted: see [Element.IsIdentity].
//  2. Time and memory access do not depend on values, except in functions
//     whose names begin with VarTime. Those are for values that whoever could
//     measure knows anyway.
//
// # Trust
//
// The package trusts its callers to keep secrets out of VarTime functions. It
// does no I/O. Elements and scalars may be read by several goroutines.
package ristretto
