// Package daily counts what a hospital's node is handed in files, and keeps the
// numbers of a day until they are in the outbox as an intake entry.
//
//	b, err := daily.Open(path)
//	err = b.Count(today, decided)        // package intake, for each batch
//	for _, d := range b.Due(today) {     // days that are over
//		// post an entry of d.Date and d.Intake
//		err = b.Sent(d.Date)
//	}
//
// # Promises
//
//  1. What Count returned nil for is on disk, and survives a crash.
//  2. A day is Due until Sent was called. Whoever posts it twice sends it once: its
//     entry id says the day alone.
//  3. A day without a file is never Due.
//  4. The file holds numbers and codes of rules, nothing of a patient or file.
//
// A batch that was taken in part when the process ended is handed in again, and
// counts as known what was taken: so nothing is counted that was not decided, and
// what is decided twice is counted twice.
package daily
