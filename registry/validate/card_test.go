package validate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/validate"
)

func TestCardsAreChecked(t *testing.T) {
	has := func(t entry.Type, id string) bool {
		return t == entry.TypeBiobank && id == "BB" || t == entry.TypeCollection && id == "RD"
	}
	sound := map[entry.Type]entry.Card{
		entry.TypeBiobank:    {ID: "BB", Name: "样本库", Department: "检验科", Status: entry.CardOpen},
		entry.TypeCollection: {ID: "RD", Name: "样本集", Within: "BB", Kinds: []entry.SpecimenKind{entry.SpecimenDNA}, Status: entry.CardOpen},
		entry.TypeCohort: {ID: "CO", Name: "队列", Within: "RD", Diseases: []string{"ORPHA:324"}, Design: entry.DesignProspective,
			Planned: entry.CountOf(9), Status: entry.CardPlanned, Start: date("2020"), End: date("2024")},
	}
	for name, tc := range map[string]struct {
		kind   entry.Type
		change func(*entry.Card)
		want   string
	}{
		"a biobank":                    {entry.TypeBiobank, func(*entry.Card) {}, ""},
		"a collection":                 {entry.TypeCollection, func(*entry.Card) {}, ""},
		"a cohort":                     {entry.TypeCohort, func(*entry.Card) {}, ""},
		"nothing of a biobank":         {entry.TypeBiobank, func(c *entry.Card) { *c = entry.Card{ID: " "} }, "CD002 department, CD002 id, CD002 name, CD002 status"},
		"nothing of a collection":      {entry.TypeCollection, func(c *entry.Card) { *c = entry.Card{ID: "x"} }, "CD002 name, CD002 specimens, CD002 status"},
		"nothing of a cohort":          {entry.TypeCohort, func(c *entry.Card) { *c = entry.Card{ID: "x"} }, "CD002 design, CD002 diseases, CD002 name, CD002 status"},
		"a biobank with a design":      {entry.TypeBiobank, func(c *entry.Card) { c.Design, c.Within = entry.DesignBoth, "BB" }, "CD003 design, CD003 within"},
		"a cohort with specimens":      {entry.TypeCohort, func(c *entry.Card) { c.Specimens = entry.CountOf(1) }, "CD003 specimen_count"},
		"within a biobank unheard of":  {entry.TypeCollection, func(c *entry.Card) { c.Within = "RD" }, "CD004 within"},
		"a cohort within a biobank":    {entry.TypeCohort, func(c *entry.Card) { c.Within = "BB" }, "CD004 within"},
		"a code's form":                {entry.TypeCohort, func(c *entry.Card) { c.Diseases[0] = "ORPHA:x" }, "DX004 diseases[0].codes[0]"},
		"an end before the start":      {entry.TypeCohort, func(c *entry.Card) { c.End = date("2019") }, "DT002 end"},
		"a telephone in a description": {entry.TypeBiobank, func(c *entry.Card) { c.Description = "请致电 13800138000" }, "PR001 description"},
		"a long name":                  {entry.TypeBiobank, func(c *entry.Card) { c.Name = strings.Repeat("样", 70) }, "FM005 name"},
	} {
		c := sound[tc.kind]
		c.Diseases = slices.Clone(c.Diseases)
		tc.change(&c)
		var got []string
		for _, f := range validate.Card(ctx, tc.kind, c, has) {
			got = append(got, f.Code+" "+f.Where)
		}
		slices.Sort(got)
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s: got %q, want %q", name, s, tc.want)
		}
	}
}

func TestQueriesAndRepliesAreChecked(t *testing.T) {
	about := entry.Entry{Type: entry.TypeCase, Facts: entry.Facts{Case: &entry.Case{}}}
	consent := entry.Entry{Type: entry.TypeConsent, Consent: &entry.Consent{}}
	codes := func(q entry.Query, e entry.Entry) (out []string) {
		for _, f := range validate.Query(q, e) {
			out = append(out, f.Code)
		}
		return out
	}
	if got := codes(entry.Query{Rule: "ID007"}, about); got != nil {
		t.Errorf("sound: %v", got)
	}
	if got := codes(entry.Query{Rule: "ZZ007"}, consent); !slices.Equal(got, []string{"QY001", "QY002"}) {
		t.Errorf("of no rule about a consent: %v", got)
	}
	for name, tc := range map[string]struct {
		text              entry.ReplyText
		closed, corrected bool
		want              string
	}{
		"right":                        {entry.ReplyRight, false, false, ""},
		"corrected":                    {entry.ReplyCorrected, false, true, ""},
		"corrected, with nothing sent": {entry.ReplyCorrected, false, false, "QY004"},
		"too late":                     {entry.ReplyRight, true, false, "QY003"},
	} {
		var got []string
		for _, f := range validate.Reply(entry.Reply{Text: tc.text}, tc.closed, tc.corrected) {
			got = append(got, f.Code)
		}
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s: got %q, want %q", name, s, tc.want)
		}
	}
}

func TestReferralsAndSpecimensAreHeldAgainstTheNetworkAndTheCards(t *testing.T) {
	in := ctx
	in.Outside = func(code string) string {
		if code == "demo-hospital-2" || code == "12100000400000000W" {
			return ""
		}
		return "not a hospital of this network"
	}
	in.Biobanks = []string{"BB", "中心样本库"}
	for name, tc := range map[string]struct {
		change func(entries)
		want   string
	}{
		"a member":                {func(e entries) { e[5].Referral.To = "12100000400000000W" }, "SP004 specimens[0].biobank"},
		"a member of a demo":      {func(e entries) { e[5].Referral.To, e[3].Specimen.Biobank = "demo-hospital-2", "bb" }, ""},
		"a stranger":              {func(e entries) { e[5].Referral.To, e[3].Specimen.Biobank = "124400004554160296", "中心样本库 " }, "OR003 referrals[0].to"},
		"a stranger it came from": {func(e entries) { e[5].Referral.From, e[3].Specimen.Biobank = "124400004554160296", "BB" }, ""},
		"no code":                 {func(e entries) { e[5].Referral.To, e[3].Specimen.Biobank = "协和", "BB" }, "OR001 referrals[0].to"},
	} {
		e := partsOf()
		tc.change(e)
		var got []string
		for _, f := range validate.Entries(in, e...) {
			got = append(got, f.Code+" "+f.Where)
		}
		slices.Sort(got)
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s: got %q, want %q", name, s, tc.want)
		}
	}
}
