// Package table reads the tables that hospitals export: CSV, TSV and XLSX.
//
//	book, err := table.Open("cases.xlsx", raw, table.Limits{})
//	for _, sheet := range book.Sheets() {
//		rows, err := sheet.Rows()
//		for row := range rows.All() { ... row.Number, row.Cells[3].Text ... }
//		err = rows.Err()
//	}
//
// A CSV or TSV file is a book of one sheet without a name. Its separator and
// its encoding are found out: UTF-8 and UTF-16 with or without byte order mark,
// GB 18030. An XLSX file is read row by row out of its archive; a cell that a
// spreadsheet keeps as a number says so ([Number]), since a number of more than
// 15 digits has lost its end there, and one that is shown as a date comes as
// YYYY-MM-DD ([Date]).
//
// The path of a file through this package:
//
//	sniff         which format it is, or is not          open.go, strange.go
//	decode        text in some encoding into UTF-8       encoding.go, gb18030.go
//	separate      records and cells of text              csv.go
//	unpack        the parts of an archive                archive.go
//	scan          elements, attributes, text of XML      xml.go
//	read          names, shared texts, formats, rows     workbook.go, shared.go, styles.go, sheet.go
//
// [Write] writes a table as UTF-8 CSV and [WriteBook] as XLSX, so that a
// spreadsheet takes every cell as text.
//
// # Promises
//
//  1. Nothing is guessed: what can be read in two ways is refused with its byte
//     and row, or given on as it stands.
//  2. Memory and time stay within a small multiple of the limits, whatever the
//     file claims about itself: parts are unpacked as a stream and counted as
//     they come, and a row, a column or a text beyond a limit ends the reading.
//  3. XML with a document type is refused, so no entity is ever expanded.
//  4. A row has the number that a spreadsheet shows for it.
//  5. Errors name sheet, row and column, and never what is in a cell.
//
// # Trust
//
// The input may be hostile. What the cells mean is the business of package
// mapping.
package table
