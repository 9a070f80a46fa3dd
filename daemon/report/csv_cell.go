package report

// CSVCell writes one cell as [Report.CSV] does: quoted where it must be, and made a
// text where a spreadsheet would take it for a formula.
func CSVCell(s string) string { return csvCell(s) }
