// Package entry is one fact about one person: a case registration, a genetic
// result, a follow-up visit, an alias of two pseudonyms, a decision about
// consent, a correction of another entry, a question about one and its answer; or
// numbers, as what a hospital's node was handed in a day. It holds the typed fields, their one
// encoding, and the entry id.
//
// An [Entry] is a common part and exactly one of [Case], [Genetics],
// [FollowUp], [Consent], [Correction], [Alias], [Query], [Reply], [Intake] and the others that [Facts] lists. [Encode] gives the plaintext that is sealed into a body, and
// [Decode] reads it back:
//
//	plain, err := entry.Encode(e)   // at most MaxBytes, else FM005
//	e, err = entry.Decode(plain)    // ENC001 unless it is that encoding
//
// An entry that came from a file keeps what its type has no field for in
// Extension, as canonical JSON, so that an export gives everything back. What
// stands in a field does not stand in Extension as well.
//
// # Layout
//
// Deterministic CBOR (package cbor), one array of 11:
//
//	type, schema version, profile, entry id, pseudonym, identity strength,
//	[year, month, day], source, legal basis, supersedes, fields
//
// where fields is the array of the entry's type. A value of zero or an empty
// text means "not given"; what was given as unknown has a value of its own.
//
// # Promises
//
//  1. What Decode accepts, Encode gives back byte for byte.
//  2. Encode and Decode agree on every check, so a bad value is found where
//     it is made and not by the reader.
//  3. Decode uses memory in proportion to its input, at most MaxBytes.
//  4. Errors never contain a value of the entry.
//
// # Trust
//
// Decode trusts nobody. Whether the values make sense together is the
// business of package validate.
package entry
