package fhir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

var (
	options = phenopacket.Options{Key: [32]byte{1}, Catalog: catalog.Current(), Basis: entry.BasisStatutory, Source: entry.SourceFHIR}
	today   = validate.Context{Today: entry.Date{Year: 2026, Month: 11, Day: 22}}
)

// patient is a Patient with all that a report asks of it, with more members.
func patient(id, number string, more ...string) string {
	return fmt.Sprintf(`{"resourceType":"Patient","id":%q,"identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":%q},`+
		`{"system":"urn:oid:2.16.156.10011.1.13","value":"B-%s"}],"name":[{"family":"欧阳","given":["测试"]}],"gender":"male","birthDate":"1990-03-07",`+
		`"deceasedBoolean":false,"address":[{"line":["中山路 1 号"],"state":"广东省"}],"telecom":[{"system":"phone","value":"13800138000"}],`+
		`"extension":[{"url":"urn:raresync:department","valueString":"肾内科"}]%s}`, id, number, id, strings.Join(append([]string{""}, more...), ","))
}

// condition is Fabry disease of a patient.
func condition(of string, more ...string) string {
	return fmt.Sprintf(`{"resourceType":"Condition","subject":{"reference":%q},"code":{"coding":[{"system":"http://www.orpha.net","code":"324"},`+
		`{"system":"http://hl7.org/fhir/sid/icd-10","code":"E75.2"}],"text":"法布雷病"},"recordedDate":"2020-05-06","onsetAge":{"value":8,"code":"a"}%s}`,
		of, strings.Join(append([]string{""}, more...), ","))
}

const ric = "110105199003077470"

// bundle makes a Bundle of resources under http://h/fhir/.
func bundle(kind string, resources ...string) string {
	var entries []string
	for _, r := range resources {
		var head struct{ ResourceType, ID string }
		_ = json.Unmarshal([]byte(r), &head)
		url := ""
		if head.ID != "" {
			url = fmt.Sprintf(`"fullUrl":"http://h/fhir/%s/%s",`, head.ResourceType, head.ID)
		}
		entries = append(entries, "{"+url+`"resource":`+r+"}")
	}
	return fmt.Sprintf(`{"resourceType":"Bundle","type":%q,"entry":[%s]}`, kind, strings.Join(entries, ","))
}

// read reads files as one set, and gives the codes of all findings, sorted, as
// those of refusals.
func read(t *testing.T, files ...string) (patients []fhir.Patient, findings []rule.Finding) {
	t.Helper()
	set := fhir.NewSet(fhir.Limits{})
	for i, raw := range files {
		err := set.Add(fmt.Sprintf("f%d", i+1), []byte(raw))
		var refused *rule.Refusal
		if errors.As(err, &refused) {
			return nil, refused.Findings
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for p := range set.Patients() {
		patients = append(patients, p)
		findings = append(findings, p.Findings...)
	}
	return patients, append(findings, set.Findings()...)
}

// entries makes the entries of a patient.
func entries(t *testing.T, p fhir.Patient) (phenopacket.Entries, []rule.Finding, error) {
	t.Helper()
	packets, err := phenopacket.Read("", bytes.NewReader(p.Packet), phenopacket.Limits{})
	if err != nil {
		return phenopacket.Entries{}, nil, err
	}
	return packets[0].Accept(options, today)
}

func said(findings []rule.Finding) string {
	var lines []string
	for _, f := range findings {
		lines = append(lines, f.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestABundleBecomesACase(t *testing.T) {
	for name, file := range map[string]string{
		"collection":              bundle("collection", patient("1", ric), condition("Patient/1")),
		"searchset":               bundle("searchset", condition("Patient/1"), patient("1", ric)),
		"document":                bundle("document", patient("1", ric), condition("http://h/fhir/Patient/1")),
		"batch":                   bundle("batch", patient("1", ric), condition("http://h/fhir/Patient/1/_history/3")),
		"type behind the entries": `{"resourceType":"Bundle","entry":[{"resource":` + patient("1", ric) + `},{"resource":` + condition("Patient/1") + `}],"type":"collection"}`,
		"urn:uuid": `{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:7","resource":` + patient("1", ric) + `},{"resource":` +
			condition("urn:uuid:7") + `}]}`,
		"a line each":            patient("1", ric) + "\r\n\n" + condition("Patient/1") + "\n",
		"by identifier":          bundle("collection", patient("1", ric), strings.Replace(condition("x"), `"reference":"x"`, `"identifier":{"system":"urn:oid:2.16.156.10011.1.13","value":"B-1"}`, 1)),
		"with a byte order mark": "\ufeff" + bundle("collection", patient("1", ric), condition("Patient/1")),
	} {
		t.Run(name, func(t *testing.T) {
			patients, findings := read(t, file)
			if len(patients) != 1 || len(findings) > 0 {
				t.Fatalf("%d patients, findings %s", len(patients), said(findings))
			}
			p := patients[0]
			if p.Document.Value != ric || p.Subject != "B-1" {
				t.Errorf("document %v, subject %s", p.Document, p.Subject)
			}
			e, findings, err := entries(t, p)
			if err != nil {
				t.Fatalf("%v of %s", err, p.Packet)
			}
			c := e.Case.Case
			if got := fmt.Sprintln(c.Diseases[0].Codes, c.Diseases[0].Onset.A, e.Case.EventDate, c.Department, c.Province, c.Birth, c.Life.Status, findings); got != "[ORPHA:324 E75.2] P8Y 2020-05-06 肾内科 44 1990-03 alive []\n" {
				t.Errorf("got %s", got)
			}
			for _, telling := range []string{"欧阳", "测试", "中山路", "13800138000"} {
				if strings.Contains(string(p.Packet), telling) {
					t.Errorf("the packet holds %s", telling)
				}
			}
		})
	}
}

func TestFilesOfASetReferToOneAnother(t *testing.T) {
	patients, findings := read(t, condition("Patient/1"), patient("1", ric)+"\n"+patient("2", ""), condition("Patient/2"))
	if len(patients) != 2 || len(findings) != 0 {
		t.Fatalf("%d patients, %s", len(patients), said(findings))
	}
	for _, p := range patients {
		if _, _, err := entries(t, p); err != nil {
			t.Error(err)
		}
	}
	if d := patients[1].Document; d.Value != "" || patients[1].Subject != "B-2" {
		t.Errorf("a patient without a document: %v, %s", d, patients[1].Subject)
	}
}

func TestWhatIsRefusedOrLeftOutIsNamed(t *testing.T) {
	one := patient("1", ric)
	deep := strings.Repeat(`{"extension":[`, 40) + strings.Repeat("]}", 40)
	for name, tc := range map[string]struct{ file, want string }{
		"a batch's answer":           {bundle("batch-response", one), "FH002 E f1 Bundle.type: batch-response"},
		"a transaction's answer":     {bundle("transaction-response", one), "FH002 E f1 Bundle.type: transaction-response"},
		"a history":                  {bundle("history", one), "FH002 E f1 Bundle.type: history"},
		"a type that is none":        {bundle("13800138000", one), "FH002 E f1 Bundle.type: missing or unknown"},
		"no Patient":                 {bundle("collection", condition("Patient/1")), "FH004 E f1: 1 resources of some patient"},
		"no entries":                 {`{"resourceType":"Bundle","type":"collection"}`, "FH004 E f1: 0 resources of some patient"},
		"a reference to nobody":      {bundle("collection", one, condition("Patient/2")), "FH001 E f1 Bundle.entry[1].resource.subject: not in the file"},
		"a conditional reference":    {bundle("collection", one, condition("Patient?identifier=1")), "FH001 E f1 Bundle.entry[1].resource.subject: a conditional reference"},
		"a contained patient":        {bundle("collection", one, condition("#p")), "FH001 E f1 Bundle.entry[1].resource.subject: contained in the resource; give it a place of its own"},
		"a patient of another place": {bundle("collection", one, condition("http://other/Patient/1")), "FH001 E f1 Bundle.entry[1].resource.subject: not in the file"},
		"no subject":                 {one + "\n" + `{"resourceType":"Observation","id":"o"}`, "FH005 W f1 line 2 Observation: no subject"},
		"a reference to no patient": {one + "\n" + `{"resourceType":"Condition","id":"c","subject":{"reference":"Condition/c"}}`,
			"FH001 E f1 line 2 Condition.subject: leads to no Patient"},
		"twins with one document": {bundle("collection", patient("1", ric), patient("2", ric)),
			"FH006 E f1 Bundle.entry[0].resource: another Patient has this document\nFH006 E f1 Bundle.entry[1].resource: another Patient has this document"},
		"one Patient twice": {bundle("collection", patient("1", ""), patient("1", "")),
			"FH006 E f1 Bundle.entry[0].resource: another Patient has this fullUrl\nFH006 E f1 Bundle.entry[1].resource: another Patient has this fullUrl"},
		"unused types":          {one + "\n" + `{"resourceType":"Claim"}` + "\n" + `{"resourceType":"Claim"}`, "FH003 W f1: Claim 2"},
		"entered in error":      {one + "\n" + `{"resourceType":"Observation","status":"entered-in-error"}`, "FH003 W f1: Observation entered in error 1"},
		"a request to delete":   {`{"resourceType":"Bundle","type":"batch","entry":[{"resource":` + one + `},{"request":{"method":"DELETE"}}]}`, "FH003 W f1: request without a resource 1"},
		"a name twice":          {`{"resourceType":"Patient","id":"1","id":"2"}`, "FH007 E f1: not JSON within the limits: byte 39: a name occurs twice in one object"},
		"not UTF-8":             {"{\"resourceType\":\"Patient\",\"id\":\"\xff\"}", "FM001 E f1: not UTF-8"},
		"too deep":              {`{"resourceType":"Patient","extension":[` + deep + `]}`, "FH007 E f1: not JSON within the limits: byte 486: deeper than 64 levels"},
		"a line that is none":   {one + "\n{\"resourceType\":", "FH007 E f1 line 2: not JSON within the limits: byte 16: the document ends early"},
		"no resourceType":       {one + "\n{\"id\":\"x\"}", "FH007 E f1 line 2: no resourceType"},
		"a type of digits":      {one + "\n{\"resourceType\":\"13800138000\"}", "FH007 E f1 line 2: no resourceType"},
		"an entry that is none": {`{"resourceType":"Bundle","type":"batch","entry":[7]}`, "FH007 E f1 Bundle.entry[0]: no object"},
		"a number of digits lost": {strings.Replace(one, `"value":"`+ric+`"`, `"value":`+ric, 1),
			"ID004 E f1 Patient.identifier[0].value: a number, no text"},
		"two resident IDs": {strings.Replace(one, `"identifier":[`, `"identifier":[{"system":"urn:oid:2.16.156.10011.1.3","value":"440524188001010014"},`, 1),
			"ID009 E f1 Patient.identifier[1]: a second resident ID"},
		"a date that is none": {bundle("collection", one, strings.Replace(condition("Patient/1"), "2020-05-06", "2020-05-40", 1)), "DT001 E f1 Bundle.entry[1].resource.recordedDate"},
		"a name in a text":    {bundle("collection", one, strings.Replace(condition("Patient/1"), "法布雷病", "欧阳测试之法布雷病", 1)), "PR001 E f1 Bundle.entry[1].resource.code: the patient's name"},
		"a strange extension": {strings.Replace(one, "urn:raresync:department", "urn:raresync:a.b.c", 1),
			"DX003 W f1 Patient.extension: want urn:raresync: and the name of a field, with a text, code, date, number or boolean"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, findings := read(t, tc.file); said(findings) != tc.want {
				t.Errorf("got\n%s\nwant\n%s", said(findings), tc.want)
			}
		})
	}
}

func TestTwinsStayTwo(t *testing.T) {
	patients, findings := read(t, bundle("collection", patient("1", ""), patient("2", ""), condition("Patient/1"), condition("Patient/2")))
	if len(patients) != 2 || len(findings) > 0 || patients[0].Subject == patients[1].Subject {
		t.Fatalf("%d patients, %s", len(patients), said(findings))
	}
}

func TestDocumentsByNamespace(t *testing.T) {
	for id, want := range map[string]string{
		`{"system":"urn:oid:2.16.156.10011.1.3","value":"` + ric + `"}`:                                                                  "RIC  " + ric,
		`{"system":"urn:raresync:id:HKM","value":"H12345678"}`:                                                                           "HKM  H12345678",
		`{"system":"urn:raresync:id:TWP","value":"12345678"}`:                                                                            "TWP  12345678",
		`{"system":"urn:raresync:id:FPR17","value":"USA110000000001"}`:                                                                   "FPR17  USA110000000001",
		`{"system":"http://hl7.org/fhir/sid/passport-FRA","value":"X1234567"}`:                                                           "PP FRA X1234567",
		`{"system":"urn:raresync:id:PP:fra","value":"X1234567"}`:                                                                         "PP FRA X1234567",
		`{"system":"urn:raresync:id:BC","value":"A123456789"}`:                                                                           "BC  A123456789",
		`{"system":"urn:raresync:id:BC","value":"A123456789"},{"system":"urn:raresync:id:RIC","value":"` + ric + `"}`:                    "RIC  " + ric,
		`{"system":"urn:raresync:id:RIC","use":"old","value":"1"},{"system":"http://hl7.org/fhir/sid/passport-FRA","value":"X1234567"}`:  "PP FRA X1234567",
		`{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"http://h","value":"B77"}`: "  ",
		`{"system":"http://h/insurance","value":"9"}`:                                                                                    "  ",
	} {
		patients, _ := read(t, `{"resourceType":"Patient","id":"x","identifier":[`+id+`]}`)
		d := patients[0].Document
		if got := strings.Join([]string{string(d.Type), d.Issuer, d.Value}, " "); got != want {
			t.Errorf("%s: got %q", id, got)
		}
	}
}
