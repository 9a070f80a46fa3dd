package phenopacket_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

func same(t *testing.T, a, b []byte) bool {
	t.Helper()
	return reflect.DeepEqual(semantic(t, a), semantic(t, b))
}

func read(t *testing.T, in string) []phenopacket.Packet {
	t.Helper()
	packets, err := phenopacket.Read("x.json", strings.NewReader(in), phenopacket.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return packets
}

func entries(t *testing.T, in string) phenopacket.Entries {
	t.Helper()
	e, err := read(t, in)[0].Entries(options)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A packet that exercises what the published ones do not have.
const elaborate = `{
 "id": "PMID_123_zhang_san", "unknownField": {"deep": [1.50, -0, 1e5, null, {"汉": "字"}], "empty": {}, "none": []},
 "subject": {"id": "MRN-778812", "alternateIds": ["A-1"], "dateOfBirth": "2015-03-17T08:00:00+08:00", "sex": "FEMALE",
   "vitalStatus": {"status": "DECEASED", "timeOfDeath": {"timestamp": "2020-01-02T00:00:00Z"},
     "causeOfDeath": {"id": "MONDO:0005015"}, "survivalTimeInDays": 120},
   "timeAtLastEncounter": {"gestationalAge": {"weeks": 34, "days": 0}}, "karyotypicSex": "XX"},
 "phenotypicFeatures": [
   {"type": {"id": "HP:0001250", "label": "Seizure"}, "excluded": true, "evidence": [{"reference": {"id": "PMID:7", "description": "A title"}}]},
   {"type": {"id": "HP:0001252"}, "excluded": false, "description": "seen with c.518G>C", "modifiers": [{"id": "HP:1"}, {}],
    "onset": {"ageRange": {"start": {"iso8601duration": "P1Y"}, "end": {"iso8601duration": "P2Y"}}}}],
 "measurements": [{"assay": {"id": "LOINC:48004-6"}, "value": {"text": "x"}}, {"assay": {"id": "LOINC:29463-7"}, "value": {"quantity": {"value": 7.0}}}],
 "biosamples": [{"id": "tube-9", "individualId": "MRN-778812", "derivedFromId": "tube-1", "files": [{"uri": "file://lab/zhang.vcf"}]}],
 "interpretations": [{"id": "MRN-778812-int", "progressStatus": "SOLVED", "summary": "text", "diagnosis": {"disease": {"id": "OMIM:1"},
   "genomicInterpretations": [{"subjectOrBiosampleId": "tube-9", "interpretationStatus": "CAUSATIVE",
     "variantInterpretation": {"variationDescriptor": {"vcfRecord": {"pos": 123, "chrom": "1"}}}}, {"subjectOrBiosampleId": "MRN-778812"}]}}],
 "diseases": [{"term": {"id": "OMIM:154700", "label": "Marfan"}, "onset": {"ontologyClass": {"id": "HP:0003577"}}, "laterality": {"id": "X:1"}}, {"term": {"id": "OMIM:2"}, "excluded": true}],
 "files": [{"uri": "s3://x", "individualToFileIdentifiers": {"MRN-778812": "S1", "father": "S2"}, "fileAttributes": {"genome_assembly": "hg38"}}],
 "raresync": {"department": "神经内科", "province": "44", "diagnosisDate": "2016-05", "verification": "clinical",
   "geneticTest": {"type": "exome", "date": "2016-06-01", "lab": "L", "kit": 3},
   "followUps": [{"visitDate": "2017-01-01", "vitalStatus": "alive", "diseaseStatus": "stable", "note": "ok"}]},
 "metaData": {"created": "2024-01-01T00:00:00Z", "createdBy": "0000-0002-1825-0097", "submittedBy": "Li", "resources": [],
   "updates": [{"timestamp": "2024-01-02T00:00:00Z", "updatedBy": "Wang", "comment": "by phone"}],
   "phenopacketSchemaVersion": "2.0", "externalReferences": [{"id": "DOI:10.1/x", "description": "An Arg173Pro title"}]}
}`

// The expected export, written by hand from docs/DEIDENTIFICATION.md.
var elaborateReplacements = []string{
	`"id": "PMID_123_zhang_san"`, `"id": "case-1"`,
	`"id": "MRN-778812", "alternateIds": ["A-1"], "dateOfBirth": "2015-03-17T08:00:00+08:00"`,
	`"id": "case-1", "dateOfBirth": "2015-03-01T00:00:00Z"`,
	`{"id": "PMID:7", "description": "A title"}`, `{"id": "PMID:7"}`,
	`"id": "tube-9", "individualId": "MRN-778812", "derivedFromId": "tube-1"`,
	`"id": "biosample-1", "individualId": "case-1", "derivedFromId": "biosample-2"`,
	`"subjectOrBiosampleId": "tube-9"`, `"subjectOrBiosampleId": "biosample-1"`,
	`"subjectOrBiosampleId": "MRN-778812"`, `"subjectOrBiosampleId": "case-1"`,
	`file://lab/zhang.vcf`, `withheld`, `s3://x`, `withheld`,
	`"id": "MRN-778812-int"`, `"id": "interpretation-1"`,
	`{"MRN-778812": "S1", "father": "S2"}`, `{"case-1": "sample-1", "relative-1": "sample-2"}`,
	`"0000-0002-1825-0097"`, `"withheld"`, `"Li"`, `"withheld"`, `"Wang"`, `"withheld"`, `"by phone"`, `"withheld"`,
	`[{"id": "DOI:10.1/x", "description": "An Arg173Pro title"}]`, `[{"id": "DOI:10.1/x"}, {"id": "PMID:123"}]`,
}

func TestAnElaboratePacketComesBackLessWhatTheDocumentLists(t *testing.T) {
	e := entries(t, elaborate)
	want := strings.NewReplacer(elaborateReplacements...).Replace(elaborate)
	if got := export(t, e, "case-1"); !same(t, got, []byte(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	c := e.Case
	if c.Profile != entry.Published || c.EventDate.String() != "2016-05" || c.Case.Birth.String() != "2015-03" ||
		c.Case.Sex != entry.SexFemale || c.Case.Inferred || !c.Case.Features[0].Excluded || len(e.Parts) != 1 {
		t.Errorf("fields are not filled: %+v", c)
	}
	if g := e.Genetics; g == nil || g.Genetics.Case != c.ID || g.Genetics.Test != entry.TestExome || g.EventDate.String() != "2016-06-01" {
		t.Errorf("genetics are not filled: %+v", g)
	}
}

func TestTheSameFactDoesNotStandTwiceInAPlaintext(t *testing.T) {
	e := entries(t, elaborate)
	plain, err := entry.Encode(e.Case)
	if err != nil {
		t.Fatal(err)
	}
	for _, fact := range []string{"HP:0001250", "OMIM:154700", "MONDO:0005015", "神经内科", "DOI:10.1/x", "HP:0003577", "unknownField"} {
		if n := bytes.Count(plain, []byte(fact)); n != 1 {
			t.Errorf("%s stands %d times", fact, n)
		}
	}
	for _, gone := range []string{"MRN-778812", "zhang", "2015-03-17", "A-1", "c.518G>C", "tube-9", "s3://", "48004-6", "exome", "2017-01-01", "Li\"", "Arg173"} {
		if bytes.Contains(plain, []byte(gone)) {
			t.Errorf("the clinical plaintext holds %q", gone)
		}
	}
}

func TestTheCaseAloneIsExportedWithoutGenetics(t *testing.T) {
	e := entries(t, elaborate)
	out, err := phenopacket.Write(e.Case, nil, "case-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"interpretations", "vcfRecord", "c.518G>C", "48004-6", "followUps", "uri"} {
		if bytes.Contains(out, []byte(word)) {
			t.Errorf("the export holds %q", word)
		}
	}
}

func TestSnakeCaseComesBackAsCamelCaseAndDataKeysStayAsTheyAre(t *testing.T) {
	out := export(t, entries(t, `{"id":"a","subject":{"id":"b","vital_status":{"status":"ALIVE"}},"my_own_field":{"time_of_death":1},
	  "files":[{"file_attributes":{"genome_assembly":"hg38"}}],"meta_data":{"created_by":"x"}}`), "case-1")
	for _, word := range []string{`"vitalStatus"`, `"my_own_field"`, `"timeOfDeath"`, `"fileAttributes"`, `"genome_assembly"`, `"createdBy"`} {
		if !bytes.Contains(out, []byte(word)) {
			t.Errorf("%s is missing in %s", word, out)
		}
	}
}

func TestAnEmptyListOfInterpretationsMakesNoGeneticEntry(t *testing.T) {
	e := entries(t, with(`"interpretations":[]`))
	if e.Genetics != nil {
		t.Error("a genetic entry without genetics")
	}
	if out := export(t, e, "c"); !bytes.Contains(out, []byte(`"interpretations": []`)) {
		t.Errorf("the empty list is lost: %s", out)
	}
}

const familyFile = `{"id":"fam-zhang","consanguinousParents":true,
 "proband":{"id":"p1","subject":{"id":"son"},"diseases":[{"term":{"id":"OMIM:154700"}}],"metaData":{"createdBy":"x"}},
 "relatives":[{"id":"p2","subject":{"id":"mum"},"diseases":[{"term":{"id":"OMIM:154700"}}],"metaData":{}}],
 "pedigree":{"persons":[{"familyId":"zhang","individualId":"son","paternalId":"dad","maternalId":"mum","sex":"MALE"},
  {"familyId":"zhang","individualId":"dad","paternalId":"0","maternalId":"0"}]},
 "files":[{"uri":"s3://fam"}],"metaData":{"createdBy":"Li"}}`

func TestAFamilyGivesOnePacketPerMemberAndItsPedigreeToTheProband(t *testing.T) {
	packets := read(t, familyFile)
	if len(packets) != 2 || packets[0].SubjectID != "son" || packets[1].SubjectID != "mum" {
		t.Fatalf("got %v", packets)
	}
	e, err := packets[0].Entries(options)
	if err != nil {
		t.Fatal(err)
	}
	if e.Case.Case.Consanguinity != entry.Yes {
		t.Error("the parents' kinship is not in its field")
	}
	want := `{"id":"case-1","consanguinousParents":true,
	 "proband":{"id":"case-1","subject":{"id":"case-1"},"diseases":[{"term":{"id":"OMIM:154700"}}],"metaData":{"createdBy":"withheld"}},
	 "pedigree":{"persons":[{"familyId":"withheld","individualId":"case-1","paternalId":"relative-1","maternalId":"relative-2","sex":"MALE"},
	  {"familyId":"withheld","individualId":"relative-1","paternalId":"0","maternalId":"0"}]},
	 "files":[{"uri":"withheld"}],"metaData":{"createdBy":"withheld"}}`
	if got := export(t, e, "case-1"); !same(t, got, []byte(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plain, err := entry.Encode(e.Case)
	if err != nil || bytes.Contains(plain, []byte("zhang")) || bytes.Contains(plain, []byte("uri")) {
		t.Errorf("the plaintext holds the family's name or a file link (%v)", err)
	}
}

func TestAFamilyAsDeepAsAFileMayBeIsExported(t *testing.T) {
	deep := strings.Repeat("[", 62) + "1" + strings.Repeat("]", 62)
	in := `{"id":"f","x":[` + deep + `],"proband":` + minimal + `}`
	if got := export(t, entries(t, in), "c"); !bytes.Contains(got, []byte("proband")) {
		t.Errorf("got %s", got)
	}
	if _, err := phenopacket.Read("x.json", strings.NewReader(strings.Replace(in, deep, "[["+deep+"]]", 1)), phenopacket.Limits{}); code(err) != "PP002" {
		t.Errorf("two levels more: %v, want PP002", err)
	}
}

func TestACohortGivesOnePacketPerMember(t *testing.T) {
	in := `{"id":"c","description":"two cases","members":[` + minimal + `,` + strings.Replace(minimal, "s-1", "s-2", 1) + `],"metaData":{}}`
	packets := read(t, in)
	if len(packets) != 2 || packets[1].SubjectID != "s-2" {
		t.Fatalf("got %v", packets)
	}
	first, err := packets[0].Entries(options)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"id":"x","description":"two cases","members":[` +
		strings.NewReplacer(`"p"`, `"x"`, `"s-1"`, `"x"`).Replace(minimal) + `],"metaData":{}}`
	if got := export(t, first, "x"); !same(t, got, []byte(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	second, err := packets[1].Entries(options)
	if err != nil {
		t.Fatal(err)
	}
	if got := export(t, second, "x"); bytes.Contains(got, []byte("members")) {
		t.Errorf("the cohort is told twice: %s", got)
	}
	asked := options
	asked.Profile = entry.Report
	if _, findings, _ := packets[1].Accept(asked, context); len(findings) == 0 || !strings.HasPrefix(findings[0].Where, "x.json $.members[1].") {
		t.Errorf("findings do not name the member: %v", findings)
	}
}

func TestTextsWithPersonalNumbersAreRefusedByPathAndNeverQuoted(t *testing.T) {
	for name, tc := range map[string]struct{ member, path, secret string }{
		"a mobile number in a description": {`"phenotypicFeatures":[{"type":{"id":"HP:0001250"}},{"type":{"id":"HP:0001252"},"description":"call 13800138000 now"}]`,
			"$.phenotypicFeatures[1].description", "13800138000"},
		"a resident ID in a label":       {`"measurements":[{"assay":{"id":"X:1","label":"of 11010519491231002x"}}]`, "$.measurements[0].assay.label", "11010519491231002"},
		"a number in an unknown field":   {`"tel":13800138000`, "$.{1}", "13800138000"},
		"a number as a field's name":     {`"x":{"13800138000":1}`, "$.{1}.{1}", "13800138000"},
		"a full-width number":            {`"x":"电话１３８００１３８０００"`, "$.{1}", "１３８"},
		"a text within the genetic part": {`"interpretations":[{"summary":"Tel. 138-0013-8000"}]`, "$.interpretations[0].summary", "0013"},
	} {
		t.Run(name, func(t *testing.T) {
			_, findings, err := read(t, with(tc.member))[0].Accept(options, context)
			i := slices.IndexFunc(findings, func(f rule.Finding) bool { return f.Code == "PR001" })
			if err == nil || i < 0 || findings[i].Where != "x.json "+tc.path {
				t.Fatalf("got %v, want PR001 at %s", err, tc.path)
			}
			if strings.Contains(err.Error(), tc.secret) {
				t.Errorf("the refusal quotes the number: %v", err)
			}
		})
	}
	own := `{"id":"p","subject":{"id":"MRN-778812"},"diseases":[{"term":{"id":"OMIM:154700"},"x":"see MRN-778812"}],"metaData":{"externalReferences":[{"id":"PMID:1"}]}}`
	if _, _, err := read(t, own)[0].Accept(options, context); code(err) != "PR001" {
		t.Errorf("the patient's own number in a text: %v, want PR001", err)
	}
}

func TestAllProblemsOfAPacketAreReportedTogether(t *testing.T) {
	in := `{"id":"p","subject":{"id":"s-1","dateOfBirth":"yesterday"},"phenotypicFeatures":[{"type":{"id":"HP:12"}}],
	 "diseases":[{"term":{"id":"ORPHA:x"},"onset":{"age":{"iso8601duration":"3 years"}}}],"metaData":{}}`
	_, findings, err := read(t, in)[0].Accept(options, context)
	if err == nil {
		t.Fatal("accepted")
	}
	got := map[string]string{}
	for _, f := range findings {
		got[f.Code] += strings.TrimPrefix(f.Where, "x.json ") + " "
	}
	for code, place := range map[string]string{
		"DT001": "$.subject.dateOfBirth $.diseases[0].onset",
		"PH001": "$.phenotypicFeatures[0].type.id", "DX004": "$.diseases[0].term.id",
		"RQ001": "$.subject.sex $.subject.dateOfBirth $.raresync.diagnosisDate $.subject.vitalStatus.status",
	} {
		if !strings.HasPrefix(got[code], place) {
			t.Errorf("%s at %s, want %s", code, got[code], place)
		}
	}
}

func TestTheProfileFollowsFromTheReferencesUnlessTheCallerSays(t *testing.T) {
	plain := strings.Replace(minimal, `"externalReferences":[{"id":"PMID:1"}]`, "", 1)
	named := strings.Replace(plain, `"id":"p"`, `"id":"PMID_77_case"`, 1)
	asked := options
	asked.Profile = entry.Cohort
	for name, tc := range map[string]struct {
		in   string
		o    phenopacket.Options
		want entry.Profile
	}{
		"a publication":           {minimal, options, entry.Published},
		"a publication in the id": {named, options, entry.Published},
		"none":                    {plain, options, entry.Report},
		"the caller's word":       {minimal, asked, entry.Cohort},
	} {
		e, err := read(t, tc.in)[0].Entries(tc.o)
		if err != nil || e.Case.Profile != tc.want {
			t.Errorf("%s: %v, %v; want %v", name, e.Case.Profile, err, tc.want)
		}
	}
}

func TestIDsFollowTheContentAndNotTheTimeOfExport(t *testing.T) {
	id := func(in string) [32]byte { return entries(t, in).Case.ID }
	at := func(time string) string {
		return strings.Replace(minimal, `"metaData":{`, `"metaData":{"created":"`+time+`",`, 1)
	}
	if id(at("2024-01-01T00:00:00Z")) != id(at("2025-01-01T00:00:00Z")) {
		t.Error("a fresh export of the same case is taken for another")
	}
	if id(minimal) == id(strings.Replace(minimal, "154700", "154701", 1)) {
		t.Error("another disease gives the same id")
	}
	if id(minimal) == id(strings.Replace(minimal, "s-1", "s-2", 1)) {
		t.Error("another subject gives the same id")
	}
	other := options
	other.Key = [32]byte{2}
	e, err := read(t, minimal)[0].Entries(other)
	if err != nil || e.Case.ID == id(minimal) {
		t.Error("another hospital's key gives the same id")
	}
}

func TestEveryEntryOfAPersonGetsTheOnePseudonym(t *testing.T) {
	e := entries(t, elaborate)
	id := e.Case.ID
	e.SetPseudonym([32]byte{7}, entry.StrengthStrong)
	for _, one := range e.All() {
		if !one.Pseudonym.Present || one.Pseudonym.Value != [32]byte{7} || one.Strength != entry.StrengthStrong {
			t.Errorf("%s without it", one.Type)
		}
	}
	if len(e.All()) != 3 || e.Case.ID != id {
		t.Errorf("%d entries, id changed: %v", len(e.All()), e.Case.ID != id)
	}
}

func TestAnEntryFromAnotherSourceIsWrittenAsAValidPacket(t *testing.T) {
	e := entry.Entry{Type: entry.TypeCase, Profile: entry.Report, Source: entry.SourceCSV,
		EventDate: entry.Date{Year: 2024, Month: 3, Day: 1},
		Facts: entry.Facts{Case: &entry.Case{
			Diseases: []entry.Disease{{Codes: []string{"ORPHA:324"}, Text: "法布雷病", Onset: entry.When{Kind: entry.WhenDate, A: "2020-03"}}},
			Sex:      entry.SexMale, Birth: entry.Date{Year: 1990, Month: 7}, Life: entry.Life{Status: entry.Lost}, Verification: entry.Clinical,
		}}}
	out, err := phenopacket.Write(e, nil, "case-9")
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	back := entries(t, string(out))
	if c := back.Case; c.Case.Sex != entry.SexMale || c.Case.Birth != e.Case.Birth || c.Case.Life.Status != entry.Lost ||
		c.EventDate != e.EventDate || c.Case.Verification != entry.Clinical || c.Case.Diseases[0].Onset.Kind != entry.WhenInterval {
		t.Errorf("read back: %+v", c.Case)
	}
}

func TestGeneratedFilesComeBackFieldByField(t *testing.T) {
	for f := range generate.Files(generate.Options{Seed: 3, Hospitals: 2, Patients: 60, Today: context.Today, Catalog: options.Catalog}) {
		e := accepted(t, f.Name, f.Raw)
		want, err := phenopacket.Deidentify(f.Raw, "case-1")
		if err != nil {
			t.Fatal(err)
		}
		if got := export(t, e, "case-1"); !same(t, got, want[0]) {
			t.Fatalf("%s: got\n%s\nwant\n%s", f.Name, got, want[0])
		}
		for _, one := range e.All() {
			plain, err := entry.Encode(one)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(plain, []byte(f.ResidentID)) || bytes.Contains(plain, []byte("patient-")) {
				t.Fatalf("%s: a plaintext holds an identifier", f.Name)
			}
		}
	}
}

func TestAHostileExtensionIsRefusedByTheWriter(t *testing.T) {
	for name, extension := range map[string]string{
		"no JSON": "{", "no object": "[1]", "too deep": strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	} {
		e := entry.Entry{Facts: entry.Facts{Case: &entry.Case{Extension: []byte(extension)}}}
		if _, err := phenopacket.Write(e, nil, "x"); err == nil {
			t.Errorf("%s: written", name)
		}
	}
	if _, err := phenopacket.Write(entry.Entry{}, nil, "x"); err == nil {
		t.Error("an entry without a case is written")
	}
}

// The officer who reads the document must find every field that differs.
func TestTheDocumentListsEveryReplacedField(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "DEIDENTIFICATION.md"))
	if err != nil {
		t.Fatal(err)
	}
	before := semantic(t, []byte(elaborate))
	after := semantic(t, export(t, entries(t, elaborate), "case-1"))
	var paths []string
	compare(before, after, "", func(path string) { paths = append(paths, path) })
	if len(paths) < 15 {
		t.Fatalf("only %d fields differ: %v", len(paths), paths)
	}
	for _, path := range append(paths, documented...) {
		field := path[strings.LastIndex(path, ".")+1:]
		if strings.Contains(path, "individualToFileIdentifiers") {
			field = "individualToFileIdentifiers"
		}
		if !bytes.Contains(page, []byte(field+"`")) && !bytes.Contains(page, []byte(field+"[]")) {
			t.Errorf("docs/DEIDENTIFICATION.md does not name %s", path)
		}
	}
}
