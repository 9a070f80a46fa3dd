// Package trail keeps, at one node, a record of what was done with patients'
// data there: who can read a hospital's entries reads them unseen, but not
// without a line here.
//
//	t, err := trail.Open("audit/trail.jsonl")
//	err = t.Add(trail.Event{Time: now, What: "subject report", Cases: cases, Entries: 4})
//
// The file is JSON lines, each with the SHA-256 of the line before it, so that a
// line that was changed or taken out shows. Whoever can write the file can write
// all of it anew; compare the last line's hash with one kept elsewhere.
//
// # Promises
//
//  1. What Add returned nil for is on disk.
//  2. A line that a crash cut short is taken off at the next start; a chain that
//     does not hold is reported and never repaired.
//  3. No identity and no pseudonym is in it: case numbers only.
package trail
