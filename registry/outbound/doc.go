// Package outbound writes accepted registrations as the table that a person uploads
// to another system, by a profile that says which columns that system wants.
//
//	profile, ok := outbound.ShippedProfile("cases")
//	made, err := profile.Write(rows)
//	err = os.WriteFile("upload"+made.Ending, made.Data, 0o600)
//
// A row holds what the caller has of one registration, by field: those that
// [mapping.Cells] gives, in the template's words, those that a [Column] names besides, and, only if
// the caller was asked for them, the fields that identify the patient. The package
// knows no other source than that.
//
// # Profiles
//
// A [Profile] is TOML. One is shipped, "cases", to be copied and changed: other
// systems publish no columns that could be promised here.
//
//	title = { zh = "...", en = "..." }
//	format = "csv"              # or xlsx
//	encoding = "GB18030"        # of csv; else UTF-8
//	date = "YYYY/MM/DD"
//
//	[[column]]
//	heading = "性别"
//	field = "sex"
//	codes = { "男" = "1", "女" = "2" }
//
// # Promises
//
//  1. The same rows and profile give the same table.
//  2. A cell that a spreadsheet would take for a formula is written as text.
//  3. A word without a code is written as it is, and counted.
package outbound
