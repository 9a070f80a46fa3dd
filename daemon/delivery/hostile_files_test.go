package delivery_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// A hostileCase is a file made to do harm, with the rules that refuse it. None
// stand for a file that is read, and harms nothing.
type hostileCase struct {
	name, ending, want string
	raw                []byte
	size               int64 // of the file, where it is more than raw
}

func hostile(t *testing.T) []hostileCase {
	t.Helper()
	return append(append(hostileJSON(t), hostileArchives(t)...), hostileTables(t)...)
}

func hostileJSON(t *testing.T) []hostileCase {
	t.Helper()
	var claims, patients, names strings.Builder
	for i := range 250_000 {
		claims.WriteString(`{"resourceType":"Claim"}` + "\n")
		if i < 30_000 {
			fmt.Fprintf(&patients, `{"resourceType":"Patient","id":"%d"}`+"\n", i)
		}
		if i < 5000 {
			fmt.Fprintf(&names, `"n%d":0,`, i)
		}
	}
	observations := strings.Repeat(`{"resourceType":"Observation","subject":{"reference":"Patient/1"},"code":{"coding":[{"system":"http://loinc.org","code":"1-1"}]},"valueQuantity":{"value":1,"unit":"g"}}`+"\n", 6000)
	lost := strings.Repeat(`{"resourceType":"Observation","subject":{"reference":"Patient/9"}}`+"\n", 100_000)
	fhirPatient := func(member string) []byte { return []byte(somebody[:len(somebody)-1] + "," + member + "}") }
	packet := func(member string) []byte { return []byte(case1 + "," + member + "}") }
	return []hostileCase{
		{"packet of ten thousand levels", ".json", "PP002", packet(`"x":` + levels(10_000)), 0},
		{"packet of a million values", ".json", "PP002", packet(`"x":[` + strings.Repeat("0,", 1_000_000) + `0]`), 0},
		{"packet with a name twice", ".json", "PP002", packet(`"id":"q"`), 0},
		{"packet with five thousand names", ".json", "PP002", packet(names.String() + `"x":0`), 0},
		{"packet with a number of a megabyte", ".json", "PP002", packet(`"x":` + strings.Repeat("9", 1<<20)), 0},
		{"packet with a text of a megabyte", ".json", "PP002", packet(`"x":"` + strings.Repeat("9", 1<<20) + `"`), 0},
		{"packet that is not UTF-8", ".json", "FM001", packet("\"x\":\"\xff\xfe\""), 0},
		{"packet in GB18030", ".json", "FM001", packet("\"x\":\"\xba\xba\""), 0},
		{"packet with half a character", ".json", "PP002", packet(`"x":"\ud800"`), 0},
		{"packet too large", ".json", "FM005", packet(`"x":"` + strings.Repeat(" ", 17<<20) + `"`), 0},
		{"packet with a telephone", ".json", "PR001", packet(`"x":"13800138000"`), 0},
		{"packet cut off", ".json", "PP002", []byte(case1), 0},
		{"packet of brackets", ".json", "PP002", bytes.Repeat([]byte("["), 8<<20), 0},
		{"empty", ".json", "PP002", nil, 0},
		{"FHIR of ten thousand levels", ".json", "FH007", fhirPatient(`"x":` + levels(10_000)), 0},
		{"FHIR of a million values", ".json", "FH007", fhirPatient(`"x":[` + strings.Repeat("0,", 1_000_000) + `0]`), 0},
		{"FHIR with a name twice", ".json", "FH007", fhirPatient(`"id":"2"`), 0},
		{"FHIR that is not UTF-8", ".json", "FM001", fhirPatient("\"x\":\"\xff\""), 0},
		{"FHIR in GB18030", ".ndjson", "FM001", fhirPatient("\"x\":\"\xba\xba\""), 0},
		{"FHIR with a text of twenty megabytes", ".json", "FH007", fhirPatient(`"x":"` + strings.Repeat("9", 20<<20) + `"`), 0},
		{"FHIR too large", ".ndjson", "FM005", []byte(somebody), 65 << 20},
		{"FHIR answer to a batch", ".json", "FH002", batch("batch-response", somebody), 0},
		{"FHIR answer to a transaction", ".json", "FH002", batch("transaction-response", somebody), 0},
		{"FHIR history", ".json", "FH002", batch("history", somebody), 0},
		{"FHIR without a Patient", ".json", "FH004", batch("collection", `{"resourceType":"Condition","subject":{"reference":"Patient/1"}}`), 0},
		{"FHIR Bundle within Bundles", ".json", "FH004", batch("collection", string(batch("collection", string(batch("collection", somebody))))), 0},
		{"FHIR twins with one document", ".json", "FH006", batch("collection", somebody, strings.Replace(somebody, `"id":"1"`, `"id":"2"`, 1)), 0},
		{"FHIR reference to itself", ".ndjson", "DX001 FH001 RQ001", []byte(somebody + "\n" +
			`{"resourceType":"Observation","id":"o","derivedFrom":[{"reference":"Observation/o"}],"subject":{"reference":"Observation/o"}}`), 0},
		{"FHIR ring of references", ".ndjson", "DX001 RQ001", []byte(somebody + "\n" + `{"resourceType":"Observation","id":"a","derivedFrom":[{"reference":"Observation/b"}]}` + "\n" +
			`{"resourceType":"Observation","id":"b","derivedFrom":[{"reference":"Observation/a"}]}`), 0},
		{"FHIR reference by condition", ".ndjson", "DX001 FH001 RQ001", []byte(somebody + "\n" + `{"resourceType":"Condition","subject":{"reference":"Patient?identifier=110105199003077470"}}`), 0},
		{"FHIR of a quarter million resources", ".ndjson", "FM005", []byte(strings.ReplaceAll(claims.String(), "Claim", "Consent")), 0},
		{"FHIR of a quarter million unused resources", ".ndjson", "FM005", []byte(claims.String()), 0},
		{"FHIR of thirty thousand Patients", ".ndjson", "DX001 RQ001", []byte(patients.String()), 0},
		{"FHIR of a hundred thousand lost references", ".ndjson", "DX001 FH001 RQ001", []byte(somebody + "\n" + lost), 0},
		{"FHIR of too many resources of one patient", ".ndjson", "FM005", []byte(somebody + "\n" + observations), 0},
		{"FHIR with a type of digits", ".ndjson", "FH007", []byte(`{"resourceType":"13800138000"}`), 0},
		{"FHIR line of garbage", ".ndjson", "FH007", []byte(somebody + "\n{{{{"), 0},
		{"FHIR name in a code", ".ndjson", "DX001 RQ001", []byte(strings.Replace(somebody, `"id":"1"`, `"id":"1","name":[{"text":"13800138000"}]`, 1)), 0},
		{"FHIR in XML", ".json", "PP002", []byte(`<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Patient>&a;</Patient>`), 0},
	}
}

func hostileArchives(t *testing.T) []hostileCase {
	t.Helper()
	quine := zipped(t, map[string][]byte{"a.zip": zipped(t, map[string][]byte{"a.json": []byte(case1 + "}")})})
	overlapping := bytes.Repeat([]byte("PK\x01\x02"), 100_000)
	return []hostileCase{
		{"archive that grows", ".zip", "FM005", grown(t, "a.json", 100<<20, nil), 0},
		{"archive within an archive", ".zip", "FM009", quine, 0},
		{"archive with a link", ".zip", "FM009", packed(t, link(fs.ModeSymlink), []byte("/etc/passwd")), 0},
		{"archive with a pipe", ".zip", "FM009", packed(t, link(fs.ModeNamedPipe), []byte("x")), 0},
		{"archive that leads up", ".zip", "FM009", packed(t, zip.FileHeader{Name: "../../a.json"}, []byte("{}")), 0},
		{"archive that leads to the root", ".zip", "FM009", packed(t, zip.FileHeader{Name: "/etc/a.json"}, []byte("{}")), 0},
		{"archive with a password", ".zip", "FM009", packed(t, zip.FileHeader{Name: "a.json", Flags: 1}, []byte("{}")), 0},
		{"archive of entries without end", ".zip", "FM005", append([]byte("PK\x03\x04"), overlapping...), 0},
		{"archive of nothing", ".zip", "FM009", append([]byte("PK\x05\x06"), make([]byte, 18)...), 0},
		{"archive with a table", ".zip", "FM009", zipped(t, map[string][]byte{"a.csv": []byte("a,b\n1,2\n")}), 0},
		{"archive that is text", ".zip", "FM009", []byte("PK\x03\x04 not at all"), 0},
	}
}

func hostileTables(t *testing.T) []hostileCase {
	t.Helper()
	laughs := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + sheet(`<row r="1"><c t="str"><v>&b;</v></c></row>`)
	outside := `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + sheet(`<row r="1"><c t="str"><v>&a;</v></c></row>`)
	formula := strings.Replace(heads, "\n", "\n", 1) + strings.Replace(row("B-1"), "肾内科", "=cmd|' /C calc'!A0", 1)
	return []hostileCase{
		{"workbook with entities that grow", ".xlsx", "FM007", workbook(t, laughs), 0},
		{"workbook with an entity from outside", ".xlsx", "FM007", workbook(t, outside), 0},
		{"workbook of a row beyond all", ".xlsx", "FM005", workbook(t, sheet(`<row r="2147483647"><c r="A1"><v>1</v></c></row>`)), 0},
		{"workbook of the last column", ".xlsx", "FM005", workbook(t, sheet(`<row r="1"><c r="XFD1"><v>1</v></c></row>`)), 0},
		{"workbook that grows", ".xlsx", "FM005", grown(t, sheetPart, 100<<20, workbookParts()), 0},
		{"workbook of levels without end", ".xlsx", "FM007", workbook(t, strings.Repeat("<a>", 300_000)), 0},
		{"table of ten million columns", ".csv", "FM005", bytes.Repeat([]byte(","), 10_000_000), 0},
		{"table of two million rows", ".csv", "FM002", bytes.Repeat([]byte("a\n"), 2_000_000), 0},
		{"table with a mark that is never closed", ".csv", "FM005", []byte("a,\"" + strings.Repeat("b,\n", 4_000_000)), 0},
		{"table that is not GB18030", ".csv", "FM001", []byte(heads + "\xff\xff\xff"), 0},
		{"table of zeros", ".csv", "FM001", make([]byte, 1<<20), 0},
		{"table with a formula", ".csv", "", []byte(formula), 0},
		{"table that is a workbook of before", ".xls", "FM007", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("x", 1000)), 0},
	}
}
