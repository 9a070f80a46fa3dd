package validate_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

var (
	today = entry.Date{Year: 2026, Month: 11, Day: 22}
	ctx   = validate.Context{Today: today, Catalog: catalog.Current()}
)

func date(s string) entry.Date {
	d, ok := entry.ParseDate(s)
	if !ok {
		panic("not a date: " + s)
	}
	return d
}

func age(s string) entry.When { return entry.When{Kind: entry.WhenAge, A: s} }
func on(s string) entry.When  { return entry.When{Kind: entry.WhenTimestamp, A: s + "T00:00:00Z"} }

// sound returns entries in which nothing is wrong: a reported case of Fabry
// disease with its genetics and one follow-up.
func sound() []entry.Entry {
	fabry := entry.Disease{Codes: []string{"ORPHA:324", "OMIM:301500"}, Text: "法布雷病", Onset: age("P8Y")}
	fabry.Match = fabry.Resolve(catalog.Current())
	return []entry.Entry{
		{Type: entry.TypeCase, Profile: entry.Report, EventDate: date("2020-05-06"), Facts: entry.Facts{Case: &entry.Case{
			Diseases: []entry.Disease{fabry}, Verification: entry.Genetic, Sex: entry.SexMale, Birth: date("2001-02"),
			Life: entry.Life{Status: entry.Alive}, Department: "肾内科", Province: "44",
			Features:     []entry.Feature{{Type: entry.Term{ID: "HP:0000093", Label: "Proteinuria"}}},
			FirstContact: date("2020-04-01"), FamilyHistory: entry.Yes,
		}}},
		{Type: entry.TypeGenetics, Profile: entry.Report, EventDate: date("2020-05-01"), Facts: entry.Facts{Genetics: &entry.Genetics{
			Test: entry.TestPanel, Interpretations: []entry.Interpretation{{Variants: []entry.Variant{{
				Standing: entry.StandingCausative, ACMG: entry.ACMGPathogenic,
				Expressions: []entry.Expression{{Syntax: "hgvs.c", Value: "NM_000169.3:c.644A>G"}},
			}}}},
		}}},
		{Type: entry.TypeFollowUp, Profile: entry.Report, EventDate: date("2021-01-02"),
			Facts: entry.Facts{FollowUp: &entry.FollowUp{Vital: entry.Alive, Disease: entry.StatusStable}}},
	}
}

func TestSoundEntriesRaiseNothing(t *testing.T) {
	if f := validate.Entries(ctx, sound()...); len(f) != 0 {
		t.Errorf("got %v", f)
	}
}

// person is a made-up number of a male born on 2001-02-03.
const person = "10000020010203003"

func TestEachRuleIsRaisedWhereItApplies(t *testing.T) {
	male := person + string(identity.CheckDigit(person))
	known, _, err := identity.Normalize(identity.Document{Type: identity.RIC, Value: male}, identity.Options{Today: identity.Date{Year: 2026, Month: 1, Day: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*validate.Context, entries)
		want   []string
	}{
		"birth in another month than the ID's": {func(c *validate.Context, e entries) { c.Identity, e[0].Case.Birth = known, date("2001-03") }, []string{"ID006 E birth"}},
		"birth on another day than the ID's":   {func(c *validate.Context, e entries) { c.Identity, c.Birth = known, date("2001-02-04") }, []string{"ID006 W birth"}},
		"sex other than the ID's":              {func(c *validate.Context, e entries) { c.Identity, e[0].Case.Sex = known, entry.SexFemale }, []string{"ID007 Q sex"}},
		"identity that agrees":                 {func(c *validate.Context, e entries) { c.Identity, c.Birth = known, date("2001-02-03") }, nil},
		"diagnosis the day after tomorrow":     {func(c *validate.Context, e entries) { e[0].EventDate = date("2026-11-24") }, []string{"DT001 E diagnosisDate"}},
		"diagnosis tomorrow":                   {func(c *validate.Context, e entries) { e[0].EventDate = date("2026-11-23") }, nil},
		"onset that is no duration":            {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Onset = age("8 years") }, []string{"DT001 E diseases[0].onset"}},
		"feature with a bad time":              {func(c *validate.Context, e entries) { e[0].Case.Features[0].Onset = on("2020-13-01") }, []string{"DT001 E features[0].onset"}},
		"gestational age that is no number": {func(c *validate.Context, e entries) {
			e[0].Case.Features[0].Onset = entry.When{Kind: entry.WhenGestational, A: "3.5"}
		}, []string{"DT001 E features[0].onset"}},
		"diagnosis before birth": {func(c *validate.Context, e entries) {
			e[0].Case.Birth = date("2020-06")
			e[0].Case.Diseases[0].Onset = entry.When{Kind: entry.WhenAntenatal}
		}, []string{"DT002 E diagnosisDate"}},
		"diagnosis in the month of birth": {func(c *validate.Context, e entries) {
			e[0].Case.Birth = date("2020-05")
			e[0].Case.Diseases[0].Onset = entry.When{Kind: entry.WhenAtBirth}
		}, nil},
		"death before birth": {func(c *validate.Context, e entries) {
			e[0].Case.Life = entry.Life{Status: entry.Dead, TimeOfDeath: on("2000-01-01")}
		}, []string{"DT002 E followUps[0].visitDate", "DT002 E timeOfDeath", "ST002 Q followUps[0].vitalStatus"}},
		"alive at a visit after death": {func(c *validate.Context, e entries) {
			e[0].Case.Life = entry.Life{Status: entry.Dead, TimeOfDeath: on("2020-12-31")}
		}, []string{"DT002 E followUps[0].visitDate", "ST002 Q followUps[0].vitalStatus"}},
		"death later in the year of the visit": {func(c *validate.Context, e entries) {
			e[0].Case.Life = entry.Life{Status: entry.Dead, TimeOfDeath: entry.When{Kind: entry.WhenDate, A: "2021"}}
		}, nil},
		"onset after the diagnosis":          {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Onset = age("P20Y") }, []string{"DT003 Q diseases[0].onset"}},
		"onset in the year of the diagnosis": {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Onset = age("P19Y") }, nil},
		"onset before birth":                 {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Onset = on("2000-12-31") }, []string{"DT003 Q diseases[0].onset"}},
		"onset before birth, marked antenatal": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases[0].Onset = entry.When{Kind: entry.WhenAntenatal}
		}, nil},
		"diagnosis in the forties": {func(c *validate.Context, e entries) {
			e[0].EventDate, e[0].Case.Birth, e[0].Case.Diseases[0].Onset = date("1949-12-31"), date("1940-01"), age("P1Y")
		}, []string{"DT003 Q diagnosisDate"}},
		"diagnosis known to the month": {func(c *validate.Context, e entries) { e[0].EventDate = date("2020-05") }, []string{"DT004 W diagnosisDate"}},
		"an age of 121 years":          {func(c *validate.Context, e entries) { e[0].Case.LastEncounter = age("P121Y") }, []string{"DT005 Q lastEncounter"}},
		"nine weeks of gestation": {func(c *validate.Context, e entries) {
			e[0].Case.LastEncounter = entry.When{Kind: entry.WhenGestational, A: "9"}
		}, []string{"DT005 Q lastEncounter"}},
		"no disease":               {func(c *validate.Context, e entries) { e[0].Case.Diseases = nil }, []string{"DX001 E diseases"}},
		"only an excluded disease": {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Excluded = true }, []string{"DX001 E diseases"}},
		"undiagnosed with a feature": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases, e[0].Case.Verification = nil, entry.Undiagnosed
		}, nil},
		"undiagnosed with an excluded feature": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases, e[0].Case.Verification = nil, entry.Undiagnosed
			e[0].Case.Features[0].Excluded = true
		}, []string{"DX002 E features"}},
		"a number that no list has":        {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Codes = []string{"LIST:1.500"} }, []string{"DX008 E diseases[0].codes[0]"}},
		"a code of a system not looked up": {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Codes[1] = "SNOMEDCT:16652001" }, []string{"DX003 W diseases[0].codes[1]"}},
		"a malformed code":                 {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Codes[1] = "OMIM:30150" }, []string{"DX004 E diseases[0].codes[1]"}},
		"codes of two diseases": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases[0].Codes = []string{"ORPHA:324", "OMIM:313200"}
		}, []string{"DX005 Q diseases[0]"}},
		"an X-linked disease in a female": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases[0].Match.Rows[0] = entry.Row{List: 1, Number: 98}
			e[0].Case.Sex = entry.SexFemale
		}, []string{"DX006 W sex"}},
		"lymphangioleiomyomatosis in a male": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases[0].Match.Rows[0] = entry.Row{List: 1, Number: 64}
		}, []string{"DX006 Q sex"}},
		"retinopathy of prematurity at eight years": {func(c *validate.Context, e entries) {
			e[0].Case.Diseases[0].Match.Rows[0] = entry.Row{List: 2, Number: 71}
		}, []string{"DX006 Q onset"}},
		"a disease outside the lists":    {func(c *validate.Context, e entries) { e[0].Case.Diseases[0].Match.Rows = nil }, []string{"DX007 W diseases"}},
		"a malformed HPO id":             {func(c *validate.Context, e entries) { e[0].Case.Features[0].Type.ID = "HP:93" }, []string{"PH001 E features[0].type"}},
		"a feature without an id":        {func(c *validate.Context, e entries) { e[0].Case.Features[0].Type.ID = "" }, []string{"PH001 E features[0].type"}},
		"a feature of another ontology":  {func(c *validate.Context, e entries) { e[0].Case.Features[0].Type.ID = "NCIT:C76251" }, nil},
		"a retired HPO id, with a table": {func(c *validate.Context, e entries) { c.Retired = func(id string) bool { return id == "HP:0000093" } }, []string{"PH002 W features[0].type"}},
		"a feature both observed and excluded": {func(c *validate.Context, e entries) {
			f := e[0].Case.Features[0]
			f.Excluded = true
			e[0].Case.Features = append(e[0].Case.Features, f)
		}, []string{"PH003 Q features[1].type"}},
		"a feature given twice": {func(c *validate.Context, e entries) {
			e[0].Case.Features = append(e[0].Case.Features, e[0].Case.Features[0])
		}, []string{"PH004 W features[1].type"}},
		"a variant that is no HGVS": {func(c *validate.Context, e entries) { variant(e).Expressions[0].Value = "NM_000169.3:644 A to G" }, []string{"GN001 W interpretations[0].variants[0].expressions[0]"}},
		"genetic without a result": {func(c *validate.Context, e entries) {
			e[1].Genetics.Interpretations, e[1].Genetics.Stated = nil, entry.Pending
		}, []string{"GN002 Q verification"}},
		"a variant without a transcript":    {func(c *validate.Context, e entries) { variant(e).Expressions[0].Value = "c.644A>G" }, []string{"GN003 W interpretations[0].variants[0]"}},
		"a causative variant called benign": {func(c *validate.Context, e entries) { variant(e).ACMG = entry.ACMGLikelyBenign }, []string{"GN004 Q interpretations[0].variants[0]"}},
		"dead without a date":               {func(c *validate.Context, e entries) { e[0].Case.Life.Status = entry.Dead }, []string{"ST001 E status"}},
		"dead, the date stated as unknown": {func(c *validate.Context, e entries) {
			e[0].Case.Life = entry.Life{Status: entry.Dead, DeathDateUnknown: true}
		}, nil},
		"a mobile number as a department": {func(c *validate.Context, e entries) { e[0].Case.Department = "王医生 13800138000" }, []string{"PR001 E department"}},
		"nothing of what a report requires": {func(c *validate.Context, e entries) {
			*e[0].Case = entry.Case{Diseases: e[0].Case.Diseases}
			e[0].EventDate = entry.Date{}
			e[0].Case.Diseases[0].Onset = entry.When{}
		}, []string{"RQ001 E birth", "RQ001 E department", "RQ001 E diagnosisDate", "RQ001 E onset", "RQ001 E province", "RQ001 E sex", "RQ001 E status", "RQ001 E verification"}},
		"a sex stated as unknown": {func(c *validate.Context, e entries) { e[0].Case.Sex = entry.SexUnknown }, []string{"RQ001 E sex"}},
		"a province by name":      {func(c *validate.Context, e entries) { e[0].Case.Province = "广东" }, []string{"RQ001 E province"}},
		"a cohort case with what a report has": {func(c *validate.Context, e entries) {
			e[0].Profile = entry.Cohort
			e[0].Case.Features = nil
			e[0].Case.FirstContact = entry.Date{}
			e[0].Case.FamilyHistory = 0
		}, []string{"RQ001 E familyHistory", "RQ001 E features", "RQ001 E firstContact"}},
		"a published case without a reference": {func(c *validate.Context, e entries) { e[0].Profile = entry.Published }, []string{"RQ001 E references"}},
		"a published case with only a disease": {func(c *validate.Context, e entries) {
			*e[0].Case = entry.Case{Diseases: e[0].Case.Diseases, References: []entry.Reference{{ID: "DOI:10.1/x"}}, Life: entry.Life{Status: entry.Dead}}
			e[0].Profile = entry.Published
			e[0].EventDate = entry.Date{}
		}, nil},
		"a genetic test of no kind":        {func(c *validate.Context, e entries) { e[1].Genetics.Test = 0 }, []string{"RQ001 E test"}},
		"a visit of which nothing is said": {func(c *validate.Context, e entries) { e[2].EventDate = entry.Date{}; *e[2].FollowUp = entry.FollowUp{} }, []string{"RQ001 E followUps[0].diseaseStatus", "RQ001 E followUps[0].visitDate", "RQ001 E followUps[0].vitalStatus"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, e := ctx, sound()
			tc.change(&c, e)
			var got []string
			for _, f := range validate.Entries(c, e...) {
				got = append(got, strings.Join([]string{f.Code, f.Severity.String(), f.Where}, " "))
				if !rule.Known(f.Code) {
					t.Errorf("%s is no rule", f.Code)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q\nwant %q", got, tc.want)
			}
		})
	}
}

func variant(e []entry.Entry) *entry.Variant {
	return &e[1].Genetics.Interpretations[0].Variants[0]
}

func TestFindingsNeverQuoteAValue(t *testing.T) {
	e := sound()
	const mark = "S3CR3T"
	c := e[0].Case
	c.Diseases[0].Codes = []string{mark}
	c.Diseases[0].Onset, c.LastEncounter = age(mark), entry.When{Kind: entry.WhenTimestamp, A: mark}
	c.Features[0].Type.ID, c.Province, c.Department = mark, mark, mark+" 13800138000"
	variant(e).Expressions[0].Value = mark
	findings := validate.Entries(ctx, e...)
	if len(findings) < 6 {
		t.Errorf("only %d findings: %v", len(findings), findings)
	}
	for _, f := range findings {
		if s := f.String(); strings.Contains(s, mark) || strings.Contains(s, "13800138000") {
			t.Errorf("quoted: %s", s)
		}
	}
}

func TestHGVSInItsUsualFormsIsRead(t *testing.T) {
	for text, readable := range map[string]bool{
		"NM_000138.5:c.364C>T": true, "NM_000138.5(FBN1):c.364C>T": true, "NC_000011.10:g.116836094C>G": true,
		"NP_000030.1:p.(Arg173Pro)": true, "NM_014053.4:c.1_18del": true, "NM_000492.4:c.1521_1523delCTT": true,
		"NM_004006.3:c.93+1G>T": true, "NM_000169.3:c.-12G>A": true, "NM_000169.3:c.*4C>T": true,
		"NM_002024.6:c.-128GGC[113]": true, "LRG_199t1:c.11T>G": true, "NP_003997.1:p.Trp24Ter": true, "NM_000277.3:c.(?_1)_(60+1_?)del": true,
		"NM_000138.5 c.364 C to T": false, "deletion of exon 6": false, "c.": false, "": false, "NM_000138.5:c.364": false,
	} {
		e := sound()
		variant(e).Expressions[0].Value = text
		found := slices.ContainsFunc(validate.Entries(ctx, e...), func(f rule.Finding) bool { return f.Code == "GN001" })
		if found == readable {
			t.Errorf("%q: readable %v, want %v", text, !found, readable)
		}
	}
}

func TestPersonalNumbersAreFoundAndLookAlikesAreNot(t *testing.T) {
	for text, want := range map[string]string{
		"13800138000": "a mobile number", "电话：13800138000。": "a mobile number", "+86 138-0013-8000": "a mobile number",
		"8613800138000": "a mobile number", "１３８００１３８０００": "a mobile number", "138 0013 8000": "a mobile number",
		"11010519491231002X": "an ID number", "id 110105 19491231 002x, ok": "an ID number", "440524188001010014": "an ID number",
		"110105491231002":             "an ID number",
		"12800138000":                 "", // no mobile prefix
		"138001380001":                "", // 12 digits
		"110105194912310021":          "", // check digit wrong
		"NC_000011.10:g.116836094C>G": "", "2020-03-28T00:00:00.123456789Z": "", "PMID:30968594": "", "1380013800": "",
		"SNOMEDCT:446151000124109": "", "http://snomed.info/sct/446151000124109": "", "10.1016/j.jaccas.2020.04.001": "",
		"550e8400-e29b-41d4-a716-446655440000": "", "x13800138000": "", "13800138000e4": "",
	} {
		if got := validate.PersonalNumber(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestFourPatientsAlikeInOneFileAreQueried(t *testing.T) {
	alike := func(keys ...string) []validate.Patient {
		var out []validate.Patient
		for _, key := range keys {
			out = append(out, validate.Patient{Key: key, Birth: date("2001-02-03"), Sex: entry.SexMale, Diagnosis: date("2020-05-06")})
		}
		return out
	}
	partly := alike("a", "b", "c", "d")
	for i := range partly {
		partly[i].Birth = date("2001-02")
	}
	for name, tc := range map[string]struct {
		patients []validate.Patient
		want     int
	}{
		"triplets":                           {alike("a", "b", "c"), 0},
		"four patients":                      {alike("a", "b", "c", "d"), 4},
		"three patients, one on two rows":    {alike("a", "b", "c", "c"), 0},
		"four whose birth is known by month": {partly, 0},
		"four of whom one has another sex":   {append(alike("a", "b", "c"), validate.Patient{Key: "d", Birth: date("2001-02-03"), Diagnosis: date("2020-05-06")}), 0},
	} {
		if got := validate.Alike(tc.patients); len(got) != tc.want {
			t.Errorf("%s: %v, want %d findings", name, got, tc.want)
		}
	}
}

// Every rule of the groups that this package answers for is raised by a test
// above or named here with who raises it.
func TestEveryRuleOfTheseGroupsIsAccountedFor(t *testing.T) {
	elsewhere := map[string]string{"PP001": "phenopacket", "PP002": "phenopacket", "PP003": "phenopacket", "PP004": "phenopacket"}
	here := map[string]bool{}
	for code := range strings.FieldsSeq("ID006 ID007 DT001 DT002 DT003 DT004 DT005 DX001 DX002 DX003 DX004 DX005 DX006 DX007 DX008 " +
		"PH001 PH002 PH003 PH004 GN001 GN002 GN003 GN004 ST001 ST002 DU003 PR001 RQ001") {
		here[code] = true
	}
	for _, code := range rule.Codes() {
		switch group := strings.TrimRight(code, "0123456789"); group {
		case "DT", "DX", "PH", "GN", "ST", "RQ", "PR", "PP":
			if !here[code] && elsewhere[code] == "" {
				t.Errorf("%s is raised nowhere", code)
			}
		}
	}
	for code := range maps.Keys(here) {
		if !rule.Known(code) {
			t.Errorf("%s is no rule", code)
		}
	}
}

func FuzzPersonalNumber(f *testing.F) {
	f.Add("电话１３８００１３８０００")
	f.Add("110105 19491231 002x")
	f.Fuzz(func(t *testing.T, s string) {
		found := validate.PersonalNumber(s)
		if wrapped := validate.PersonalNumber("。" + s + "。"); wrapped != found {
			t.Errorf("%q: %q alone, %q within a sentence", s, found, wrapped)
		}
	})
}
