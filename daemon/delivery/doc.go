// Package delivery takes one file, as a hospital's own system exports it, to the
// daemon's intake: phenopackets as they are, a table row by row, FHIR patient by
// patient, an archive file by file.
//
//	f, err := delivery.Open("cases.xlsx", raw, nil) // refused by rule: no table, no profile
//	r, err := f.Submit(ctx, send)                   // send is the daemon's intake
//	r.Outcome()                                     // accepted, partly accepted, ...
//	files, err := r.Rejects.Files("zh", false)      // the refused rows, to be mended
//
// A row stands for itself: one that a rule refuses stays back and the others go.
// [Explain] and [ExplainCells] put what the rules found into a clerk's words,
// with the cell and never with what is in it.
//
// The commands submit and validate and the inbox use it alike, so that a file
// that is dropped is told about as one that is submitted.
package delivery
