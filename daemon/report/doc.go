// Package report makes the reports that coordinators and hospitals ask for, out of
// package view, and writes them as JSON, CSV and HTML.
//
//	r, err := report.Make(q, "disease", report.Options{Disease: "1.68"})
//	err = r.Published(minCell).CSV(w, "zh")
//
// A report is made exact. [Report.Published] is what may leave the eyes of who is
// signed in: counts of people below the smallest cell are withheld, those above it
// are printed to steps of five, and a total that would tell more of its parts than
// these already do is withheld with them.
//
// # Promises
//
//  1. Every report names the tree size and root that it is of.
//  2. From any number of published reports of one kind, made of a log to which only
//     registrations were added, no count of people can be told closer than to three
//     values: docs/DATA-DICTIONARY.md has the argument, and a test attacks it.
//  3. CSV opens in Excel as text and numbers and runs nothing; HTML has no script
//     and loads nothing.
package report
