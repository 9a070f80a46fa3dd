// Package jsontree reads JSON documents of strangers into trees that keep what
// was written, and writes them again.
//
//	v, err := jsontree.Parse(raw, jsontree.Limits{Depth: 64, Values: 400_000, Members: 4096, TextBytes: 65_536})
//	code := v.At("code", "text").Str()
//	raw = v.Canonical()
//
// The readers of phenopackets and of FHIR share it. [Memory.Walk] reads a document
// with one long array an element at a time, and a [Memory] uses values again.
//
// # Promises
//
//  1. What parses is JSON (RFC 8259) in UTF-8 without a name that occurs twice in
//     one object, and its canonical form parses to the same tree.
//  2. Numbers keep their spelling.
//  3. Memory stays within a small multiple of the input and the limits, and time
//     is linear in the input.
//  4. Errors name a byte and a reason, never what stands there.
package jsontree
