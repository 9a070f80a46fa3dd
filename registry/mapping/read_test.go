package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// patients reads a CSV text by a profile, nil for the one that knows it, and
// writes down what was found: "C3 head: DT001", and "row 2" for each patient
// without a refusal.
func patients(t *testing.T, p *Profile, text string) (all []Patient, found []string, r *Reader) {
	t.Helper()
	book, err := table.Open("f.csv", []byte(text), table.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p == nil {
		if p, err = Choose(book, Shipped()); err != nil || p == nil {
			t.Fatalf("no profile: %v", err)
		}
	}
	r = p.Reader("f.csv", book)
	for one := range r.All() {
		all = append(all, one)
		for _, f := range one.Findings {
			found = append(found, f.Place.Within()+": "+f.Code)
		}
		if _, err := phenopacket.Read("", strings.NewReader(string(one.Packet)), phenopacket.Limits{}); err != nil && !Refuses(one.Findings) {
			t.Errorf("rows %v: %v", one.Rows, err)
		}
	}
	for _, f := range r.Findings {
		found = append(found, f.Place.Within()+": "+f.Code)
	}
	return all, found, r
}

const heads = "病案号,证件号码,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态,姓名\n"

func TestWhatIsWrongWithARowIsToldWithItsCell(t *testing.T) {
	good := "B1,,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活,慕容\n"
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"nothing":                         {heads + good, nil},
		"under two titles":                {"登记表\n,,,\n" + heads + good, nil},
		"three things in one row":         {heads + "B1,,x,1990-13-07,广东,肾内科,法布雷病,1.27,2020-05-06,小时候,存活,慕容\n", []string{"J2 起病: DT001", "C2 性别: DX003", "D2 出生日期: DT001"}},
		"day or month":                    {heads + strings.Replace(good, "2020-05-06", "05/06/2020", 1), []string{"I2 诊断日期: DT004"}},
		"nobody":                          {heads + strings.Replace(good, "B1", "", 1), []string{"A2 病案号: ID001"}},
		"a name in the department":        {heads + strings.Replace(good, "肾内科", "肾内科慕容", 1), []string{"F2 科室: PR001"}},
		"a name in the disease":           {heads + strings.Replace(good, "法布雷病", "慕容的法布雷病", 1), []string{"G2 疾病名称: PR001"}},
		"a list number that is none":      {heads + strings.Replace(good, "1.27", "27", 1), []string{"H2 目录编号: DX004"}},
		"two diseases and three codes":    {heads + strings.Replace(good, "法布雷病,1.27", "法布雷病；戈谢病,1.27；1.34；1.1", 1), []string{"H2 目录编号: DX004"}},
		"a cell too many":                 {heads + strings.Replace(good, "慕容", "慕容,x", 1), []string{"2: FM003"}},
		"a cell too few":                  {heads + "B1,,男\n", []string{"2: FM003"}},
		"totals":                          {heads + good + "合计,,,,,,,,,,,\n", []string{"3: FM004"}},
		"totals with a count":             {heads + good + "合计,2,,,,,,,,,,\n", []string{"3: FM004"}},
		"a count alone":                   {heads + good + "共 2 例,,,,,,,,,,,\n", []string{"3: FM004"}},
		"a number beside a word":          {heads + good + "合计,440301198506120028,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活,慕容\n", nil},
		"totals that are none":            {heads + "合计,,,,,,,,,,,\n" + good, nil},
		"a heading twice":                 {strings.Replace(heads, "姓名", "性别", 1) + good, []string{"1 性别: FM002"}},
		"only words for nothing":          {heads + "B1,-,男,1990-03-07,广东,肾内科,法布雷病,无,2020-05-06,不详,存活,/\n", nil},
		"a name that is a word for none":  {heads + strings.Replace(good, "慕容", "无", 1), nil},
		"headings with what they explain": {strings.NewReplacer("性别", "性别（1男 2女）*", "病案号", " 病案号：").Replace(heads) + good, nil},
	} {
		_, found, r := patients(t, ShippedOrFail(t, "template"), tc.text)
		if r.Err() != nil || !slices.Equal(found, tc.want) {
			t.Errorf("%s: got %q, %v, want %q", name, found, r.Err(), tc.want)
		}
	}
}

// The template explains itself on sheets of its own, in which nobody looks for patients.
func TestTheTemplatesOwnSheetsAreNotNamed(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		raw, err := TemplateBook(lang)
		if err != nil {
			t.Fatal(err)
		}
		if _, found, r := patients(t, nil, string(raw)); r.Err() != nil || len(found) > 0 || len(r.book.Sheets()) != 3 {
			t.Errorf("%s: %q, %v", lang, found, r.Err())
		}
	}
}

func TestAProfileWithoutHeadingsSaysSo(t *testing.T) {
	p := *ShippedOrFail(t, "template")
	p.Fields = map[string]Field{"record": {Columns: []string{""}}}
	if _, found, r := patients(t, &p, "a,b\n1,2\n"); !slices.Equal(found, []string{": FM002"}) || !strings.Contains(r.Findings[0].Detail, "leaves a heading empty") {
		t.Errorf("got %q, %+v", found, r.Findings)
	}
}

// ShippedOrFail returns a shipped profile.
func ShippedOrFail(t *testing.T, name string) *Profile {
	t.Helper()
	p, ok := ShippedProfile(name)
	if !ok {
		t.Fatalf("no profile %s", name)
	}
	return p
}

func TestWithoutHeadingsNothingIsRead(t *testing.T) {
	_, found, r := patients(t, ShippedOrFail(t, "template"), "a,b,c\n1,2,3\n")
	if !slices.Equal(found, []string{": FM002"}) || r.Counts.Rows != 0 || !strings.Contains(r.Findings[0].Detail, "病案号 / 证件号码, 疾病名称") {
		t.Errorf("got %q, %+v", found, r.Findings)
	}
	book, err := table.Open("f", []byte("a,b\n1,2\n"), table.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := Choose(book, Shipped()); p != nil || err != nil {
		t.Errorf("profile %v knows a,b: %v", p, err)
	}
}

// A number that a spreadsheet kept as one is refused whatever its check digit
// says, also if it is a whole one.
func TestAnIDFromANumberCellIsRefused(t *testing.T) {
	p := ShippedOrFail(t, "template")
	l := p.lay(table.Row{Cells: []table.Cell{{Text: "病案号"}, {Text: "证件号码"}, {Text: "疾病名称"}}})
	for _, cell := range []table.Cell{
		{Text: "110105199003077470", Kind: table.Number}, {Text: "1.10105199003077E+17", Kind: table.Number}, {Text: "1990-03-07", Kind: table.Date},
	} {
		r := p.Reader("f.xlsx", &table.Book{Format: table.XLSX})
		one, _ := r.patient(&table.Sheet{Name: "S"}, l, []table.Row{{Number: 2, Cells: []table.Cell{{Text: "B1"}, cell, {Text: "法布雷病"}}}})
		if len(one.Findings) != 1 || one.Findings[0].Code != "ID004" || one.Findings[0].Place.Within() != "S!B2 证件号码" || strings.Contains(fmt.Sprint(one.Findings), "110105") {
			t.Errorf("%v: %v", cell.Kind, one.Findings)
		}
	}
}

// Of the front page of all inpatients, those with a rare disease are taken, each
// once, whatever place the disease has among the diagnoses.
func TestTheInpatientFrontPage(t *testing.T) {
	text := "病案号,姓名,性别,出生日期,身份证号,出院科别,出院时间,主要诊断,主要诊断编码,其他诊断1,其他诊断编码1,离院方式,现住址省份,医疗付费方式\n" +
		"1,甲乙,1,1990-03-07,110105199003077470,肾内科,2020-05-06 10:00:00,肺炎,J18.900,法布雷病,E75.200x001,1,广东省,1\n" +
		"1,甲乙,1,1990-03-07,110105199003077470,肾内科,2021-05-06 10:00:00,法布雷病,E75.200x001,肺炎,J18.900,5,广东省,1\n" +
		"2,丙丁,2,1985-06-12,440301198506120028,呼吸科,2020-05-06 10:00:00,肺炎,J18.900,-,-,1,广东省,1\n"
	all, found, r := patients(t, nil, text)
	if len(all) != 1 || len(found) > 0 || r.Counts != (Counts{Rows: 3, Passed: 2}) || r.profile.Name != "frontpage" {
		t.Fatalf("%d patients, %q, %+v by %s", len(all), found, r.Counts, r.profile.Name)
	}
	var got struct {
		Diseases []struct {
			Term  struct{ ID, Label string }
			Onset any
		}
		Subject  struct{ VitalStatus struct{ Status string } }
		Raresync struct{ DiagnosisDate, Province, Verification string }
	}
	if err := json.Unmarshal(all[0].Packet, &got); err != nil {
		t.Fatal(err)
	}
	if want := "[{{E75.200x001 法布雷病} map[ontologyClass:map[id:NCIT:C17998 label:Unknown]]} {{J18.900 肺炎} <nil>}]"; fmt.Sprint(got.Diseases) != want {
		t.Errorf("got %v, want %s", got.Diseases, want)
	}
	if want := "{{ALIVE}} {2020-05-06 44 clinical}"; fmt.Sprint(got.Subject, got.Raresync) != want {
		t.Errorf("got %v %v, want %s", got.Subject, got.Raresync, want)
	}
}

// RareLink's forms are rows of one record, one for each disease, feature and
// variant.
func TestREDCapWithRareLink(t *testing.T) {
	heads := "record_id,redcap_repeat_instrument,snomed_184099003,snomed_281053000,snomed_278844005,disease_coding,snomed_64572001_ordo,loinc_99498_8," +
		"snomed_424850005,snomed_298059007,snomed_432213005,ga4gh_progress_status,ga4gh_interp_status,loinc_48004_6,loinc_48018_6,loinc_48018_6_label,loinc_53034_5,snomed_8116006,snomed_363778006\n"
	text := heads +
		"102,,2010-01-01,snomed_248152002,snomed_438949009,,,,,,,,,,,,,,\n" +
		"102,rarelink_5_disease,,,,ordo,ORPHA:484,hl7fhir_confirmed,snomed_410672004,2014-09-09,2014-09-30,,,,,,,,\n" +
		"102,rarelink_5_disease,,,,ordo,ORPHA:324,hl7fhir_refuted,,,,,,,,,,,\n" +
		"102,rarelink_6_1_genetic_findings,,,,,,,,,,ga4gh_in_progress,ga4gh_rejected,NM_001377304.1:c.-16G>A,HGNC:4238,GFI1B,loinc_la6705-3,,\n" +
		"102,rarelink_6_2_phenotypic_feature,,,,,,,,,,,,,,,,HP:0000866,snomed_410605003\n" +
		"102,rarelink_6_2_phenotypic_feature,,,,,,,,,,,,,,,,HP:0000133,snomed_723511001\n" +
		"103,,2020-01-01,snomed_248153007,snomed_419099009,,,,,,,,,,,,,,\n" +
		"103,rarelink_5_disease,,,,ordo,ORPHA:324,hl7fhir_confirmed,snomed_3950001,,2020-02-01,,,,,,,,\n"
	all, found, r := patients(t, nil, text)
	if len(all) != 2 || len(found) > 0 || r.profile.Name != "rarelink" || !slices.Equal(all[0].Rows, []int{2, 3, 4, 5, 6, 7}) {
		t.Fatalf("%d patients, %q by %s", len(all), found, r.profile.Name)
	}
	for i, want := range [][]string{
		{`"id":"102"`, `"sex":"FEMALE"`, `{"onset":{"timestamp":"2014-09-09T00:00:00Z"},"term":{"id":"ORPHA:484"}},{"excluded":true,"term":{"id":"ORPHA:324"}}`,
			`"interpretationStatus":"REJECTED"`, `"progressStatus":"IN_PROGRESS"`, `"symbol":"GFI1B"`, `"label":"homozygous"`,
			`[{"type":{"id":"HP:0000866"}},{"excluded":true,"type":{"id":"HP:0000133"}}]`, `"diagnosisDate":"2014-09-30"`},
		{`"status":"DECEASED"`, `"onset":{"ontologyClass":{"id":"HP:0003577"`, `"diagnosisDate":"2020-02-01"`},
	} {
		for _, piece := range want {
			if !strings.Contains(string(all[i].Packet), piece) {
				t.Errorf("patient %d: no %s in %s", i+1, piece, all[i].Packet)
			}
		}
	}
}

func TestShippedProfilesAreWhole(t *testing.T) {
	for _, name := range shippedNames {
		text, _ := ShippedText(name)
		if _, err := Parse(name, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for text, want := range map[string]string{
		"":                                  "fields.record and fields.id_number: a patient needs one of them",
		"[fields.sxe]\ncolumns = [\"a\"]\n": "fields.sxe is not known",
		"[fields.sex]\ncolumns = [\"a\"]\ncodes = { \"3\" = \"x\" }\n": "\"x\" is not known: want MALE",
		"[fields.sex]\ncolums = [\"a\"]\n":                             "fields.sex.colums is not known",
		"document = \"ID\"\n":                                          "document: want one of RIC",
		"[diseases]\n\"x\" = \"y\"\n":                                  "\"y\" is no code",
	} {
		if _, err := Parse("p", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// A draft reads as a profile as soon as a person has placed a disease, and
// places what is known.
func TestADraftIsAProfile(t *testing.T) {
	book, err := table.Open("住院.csv", []byte("导出\n病案号,姓名,XB,出生日期,诊断名称,主要诊断编码,备注\n1,甲乙,1,1990-03-07,法布雷病,E75.2,x\n"), table.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := Draft("住院.csv", book)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"identifying = [\"姓名\"]", "[fields.birth] # 出生日期 date of birth\ncolumns = [\"出生日期\"]", "icd10 = [\"主要诊断编码\"]",
		"#   XB\n", "#   诊断名称\n", "#   备注\n", "found in row 2"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	p, err := Parse("draft", text)
	if err != nil {
		t.Fatal(err)
	}
	effects, _, err := p.Examine("住院.csv", book)
	if err != nil || len(effects) != 7 || effects[0].Field != "record" || effects[1].Field != "identifying" || effects[2].Field != "" || effects[5].Field != "diagnosis" {
		t.Errorf("got %+v, %v", effects, err)
	}
}

// A draft shows headings as they stand, so a row of a patient must not be taken
// for them.
func TestNoDraftIsMadeOfAPatient(t *testing.T) {
	book, err := table.Open("f.csv", []byte("B1,慕容晓峰,男,1990-03-07\nB20001234,司徒璇玑,女,x\n"), table.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := Draft("f.csv", book); refusal(err) != "FM002" || strings.Contains(text, "慕容") {
		t.Errorf("got %q, %v", text, err)
	}
}

func refusal(err error) string {
	var r *rule.Refusal
	if errors.As(err, &r) {
		return r.Code()
	}
	return ""
}

// The template is known by its headings, in both languages, and holds all
// diseases.
func TestTheTemplateIsKnown(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		raw, err := TemplateBook(lang)
		if err != nil {
			t.Fatal(err)
		}
		for name, raw := range map[string][]byte{"xlsx": raw, "csv": TemplateCSV(lang)} {
			book, err := table.Open(name, raw, table.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := book.Sheets()[0].Rows()
			if err != nil {
				t.Fatal(err)
			}
			for row := range rows.All() {
				if l := ShippedOrFail(t, "template").lay(row); len(l.used()) < len(Columns()) || !l.fits() || len(l.doubled) > 0 {
					t.Errorf("%s in %s: %d of %d columns are read, %v", name, lang, len(l.used()), len(Columns()), l.doubled)
				}
			}
			p, err := Choose(book, Shipped())
			if err != nil || p == nil || p.Name != "template" {
				t.Errorf("%s in %s: %v knows it, %v", name, lang, p, err)
			}
		}
	}
	if n := len(diseaseSheet(func(zh, _ string) string { return zh }).Rows); n != 1+len(catalog.Current().All()) {
		t.Errorf("%d diseases", n)
	}
}
