// Package cbor reads and writes the one encoding that raresync signs, hashes
// and seals: deterministic CBOR (RFC 8949 section 4.2.1), cut down to what
// the protocol uses.
//
// Only four kinds of value exist: unsigned integers in shortest form, byte
// strings, UTF-8 text strings and arrays of known length. There are no maps,
// floats, tags, booleans, nulls or indefinite lengths, so every value has
// exactly one encoding. What the [Decoder] accepts encodes back to the same
// bytes; that is why the codec is our own: a general library's strict mode
// lets null and non-minimal forms through.
//
// Encoding appends to a slice:
//
//	b := cbor.AppendArray(nil, 2)
//	b = cbor.AppendUint(b, 7)
//	b = cbor.AppendText(b, "罕见病")
//
// Decoding reads in the same order. The first error sticks, later reads
// return zero values, and [Decoder.Done] reports it:
//
//	d := cbor.NewDecoder(b)
//	d.Array(2)
//	n, name := d.Uint(), d.Text(64)
//	if err := d.Done(); err != nil { ... }
//
// # Promises
//
//  1. A decoder allocates nothing in proportion to a length the input merely
//     claims: byte strings are views of the input, and every read of variable
//     length takes the caller's limit.
//  2. Trailing bytes, non-minimal lengths and every unlisted form are refused
//     with [ErrEncoding].
//
// The package trusts nobody: all input may be hostile.
package cbor
