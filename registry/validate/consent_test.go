package validate_test

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

func TestAChildsConsentIsItsGuardians(t *testing.T) {
	today, form := entry.Date{Year: 2026, Month: 3, Day: 1}, entry.Date{Year: 2025, Month: 6, Day: 1}
	day := func(y uint16, m, d uint8) entry.Date { return entry.Date{Year: y, Month: m, Day: d} }
	for name, tc := range map[string]struct {
		basis entry.Basis
		birth entry.Date
		given validate.Consent
		want  []string
	}{
		"a child's own":                     {entry.BasisConsent, day(2015, 5, 0), validate.Consent{By: "self", Date: day(2026, 1, 1)}, []string{"CN002"}},
		"a child's, whose is not said":      {entry.BasisConsent, day(2015, 5, 0), validate.Consent{Date: day(2026, 1, 1)}, []string{"CN002"}},
		"a child's, nothing is said":        {entry.BasisConsent, day(2015, 5, 0), validate.Consent{}, []string{"CN002"}},
		"its guardian's":                    {entry.BasisConsent, day(2015, 5, 0), validate.Consent{By: "guardian", Date: day(2026, 1, 1)}, nil},
		"a child's that is reported anyway": {entry.BasisBoth, day(2015, 5, 0), validate.Consent{By: "self", Date: day(2026, 1, 1)}, nil},
		"on the fourteenth birthday":        {entry.BasisConsent, day(2012, 1, 1), validate.Consent{By: "self", Date: day(2026, 1, 1)}, nil},
		"on the day before":                 {entry.BasisConsent, day(2012, 1, 2), validate.Consent{By: "self", Date: day(2026, 1, 1)}, []string{"CN002"}},
		"perhaps in the month of birth":     {entry.BasisConsent, day(2012, 1, 0), validate.Consent{By: "self", Date: day(2026, 1, 1)}, nil},
		"a child then, grown up since":      {entry.BasisConsent, day(2011, 9, 0), validate.Consent{By: "self", Date: day(2025, 7, 1)}, []string{"CN002"}},
		"of nobody knows which age":         {entry.BasisConsent, entry.Date{}, validate.Consent{By: "self"}, nil},
		"given before the form":             {entry.BasisConsent, day(1990, 1, 0), validate.Consent{By: "self", Date: day(2025, 5, 31)}, []string{"CN003"}},
		"given under both, before the form": {entry.BasisBoth, day(1990, 1, 0), validate.Consent{By: "self", Date: day(2024, 0, 0)}, []string{"CN003"}},
		"given on the form's first day":     {entry.BasisConsent, day(1990, 1, 0), validate.Consent{By: "self", Date: form}, nil},
		"given in the form's month":         {entry.BasisConsent, day(1990, 1, 0), validate.Consent{By: "self", Date: day(2025, 6, 0)}, nil},
		"by somebody else":                  {entry.BasisConsent, day(1990, 1, 0), validate.Consent{By: "neighbour", Date: form}, []string{"DX003"}},
		"the day after tomorrow":            {entry.BasisConsent, day(1990, 1, 0), validate.Consent{By: "self", Date: day(2026, 3, 3)}, []string{"DT001"}},
		"reported by law":                   {entry.BasisStatutory, day(2015, 5, 0), validate.Consent{By: "self", Date: day(2020, 1, 1)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := entry.Entry{Type: entry.TypeCase, Profile: entry.Report, Basis: tc.basis, Facts: entry.Facts{Case: &entry.Case{Birth: tc.birth}}}
			var got []string
			for _, f := range validate.Entries(validate.Context{Today: today, Birth: tc.birth, Consent: tc.given, ConsentForm: form}, e) {
				if slices.Contains([]string{"CN002", "CN003", "DX003", "DT001"}, f.Code) && len(f.Where) > 7 && f.Where[:7] == "consent" {
					got = append(got, f.Code)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if rule.SeverityOf("CN002") != rule.E || rule.SeverityOf("CN003") != rule.W {
		t.Error("a child without its guardian's consent is refused, an old form is only said")
	}
}
