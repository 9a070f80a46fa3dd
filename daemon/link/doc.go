// Package link keeps a hospital's link file: which record number of its own stands
// behind a case number, so that a question about a case finds the patient's papers.
//
//	book, err := link.Open(filepath.Join(dir, "links"), ring.Sealing)
//	err = book.Add(map[string][]string{"7Q4M-...": {"B0012345"}})
//	records, err := book.Records("7Q4M-...")
//
// The file is filled from what is submitted, and never leaves the hospital: it is
// sealed to the hospital's own key, is no part of an entry, and of a backup only if
// that is asked for. Nothing of it stays in memory between two calls.
//
// # Promises
//
//  1. What Add returned nil for is on disk, sealed.
//  2. What Forget returned nil for is in no file any more; the former one is
//     overwritten.
//  3. A record number is in no error.
//
// Who may read the key file may read this one.
package link
