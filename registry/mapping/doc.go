// Package mapping turns the rows of a hospital's table into phenopackets, by a
// profile that says which column holds what.
//
//	book, err := table.Open(name, raw, table.Limits{})
//	profile, err := mapping.Choose(book, mapping.Shipped())
//	reader := profile.Reader(name, book)
//	for patient := range reader.All() {
//		packets, err := phenopacket.Read("", bytes.NewReader(patient.Packet), phenopacket.Limits{})
//		...
//	}
//	err = reader.Err()
//
// From there on a row goes the way of any phenopacket, and becomes the same
// entries with the same ids as a phenopacket that says the same: a patient who
// comes once in a table and once in a phenopacket is registered once. Findings
// about the packet are brought back to their cell by [Patient.Place].
//
// # Profiles
//
// A [Profile] is TOML. [Shipped] are three: the columns of raresync's own
// template, the inpatient front page, and RareLink's REDCap project; [Draft]
// writes one for a table of any other kind. docs/INPUT.md lists every field,
// and the words that each takes.
//
//	[fields.sex]
//	columns = ["性别", "XB"]       # the first of these headings that is there
//	codes = { "3" = "female" }     # beside 1, 2, 男, 女, M, F
//
//	[[diagnosis]]
//	name = ["主要诊断"]
//	icd10 = ["主要诊断编码"]
//
// # How a row is read
//
//	find the headings, under titles, in any order       header.go, read.go
//	join, leave out totals, pass over what is not rare  read.go
//	who: document and record number                     document.go, patient.go
//	which diseases: codes, whole names, own words       diagnosis.go, diseases.go
//	dates, ages, words                                  dates.go, age.go, words.go
//	the packet                                          content.go, genetics.go
//
// # Promises
//
//  1. Nothing is guessed: a name of a disease matches whole or not at all, a
//     word without a meaning is flagged and left out, a date that can be read
//     in two ways keeps its year alone, a number that a spreadsheet rounded is
//     refused.
//  2. All findings of a row are reported, each with its cell.
//  3. Names, telephones and addresses are compared with what a clerk typed
//     (PR001) and go nowhere; the document's number stands in
//     [Patient.Document] and the record number in the packet's subject.
//  4. The same row gives the same packet, in whatever format it came.
//
// # Trust
//
// The table may be hostile; package table bounds it. A profile is trusted as far
// as its author may say what the columns mean.
package mapping
