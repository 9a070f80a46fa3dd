package validate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/validate"
)

type entries = []entry.Entry

// partsOf is a sound case with a specimen, a treatment and a referral.
func partsOf() entries {
	add := func(t entry.Type, on string, f entry.Facts) entry.Entry {
		return entry.Entry{Type: t, Profile: entry.Report, EventDate: date(on), Facts: f}
	}
	return append(sound(),
		add(entry.TypeSpecimen, "2020-05-07", entry.Facts{Specimen: &entry.Specimen{
			Kind: entry.SpecimenBlood, Status: entry.SpecimenAvailable, Count: entry.CountOf(2), Biobank: "院样本库", Consent: entry.Yes,
		}}),
		add(entry.TypeTreatment, "2020-06-01", entry.Facts{Treatment: &entry.Treatment{
			Agent: entry.Term{ID: "ATC:A16AB04"}, Status: entry.TreatmentStarted, Response: entry.ResponseStable,
			Dose: entry.Quantity{Value: "1", Unit: entry.Term{ID: "UCUM:mg/kg"}},
		}}),
		add(entry.TypeReferral, "2020-04-01", entry.Facts{Referral: &entry.Referral{
			From: "12100000400000000W", Reason: entry.ReferralDiagnosis,
		}}))
}

// died adds a death to the entries and to the case.
func died(e entries, on string) entries {
	e[0].Case.Life.Status = entry.Dead
	return append(e, entry.Entry{Type: entry.TypeDeath, Profile: entry.Report, EventDate: date(on), Facts: entry.Facts{Death: &entry.Death{
		Cause: entry.Term{ID: "ICD10:I42.9"},
	}}})
}

func TestPartsOfACaseAreChecked(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(entries) entries
		want   string
	}{
		"sound":                    {func(e entries) entries { return e }, ""},
		"a death entry for a date": {func(e entries) entries { return died(e, "2023-01-01") }, ""},
		"no consent to a specimen": {func(e entries) entries { e[3].Specimen.Consent = entry.No; return e }, "SP001 specimens[0].consent"},
		"a consent not asked for":  {func(e entries) entries { e[3].Specimen.Consent = 0; return e }, "SP001 specimens[0].consent"},
		"a specimen before birth":  {func(e entries) entries { e[3].EventDate = date("2000-12-01"); return e }, "SP003 specimens[0].collected"},
		"a prenatal specimen":      {func(e entries) entries { e[3].EventDate = date("2000-12-01"); e[3].Specimen.Prenatal = true; return e }, ""},
		"a specimen 30 days after": {func(e entries) entries { e[3].EventDate = date("2023-01-31"); return died(e, "2023-01-01") }, ""},
		"a specimen 31 days after": {func(e entries) entries { e[3].EventDate = date("2023-02-01"); return died(e, "2023-01-01") }, "DT002 specimens[0].collected"},
		"a post-mortem specimen": {func(e entries) entries {
			e[3].EventDate, e[3].Specimen.PostMortem = date("2023-02-01"), true
			return died(e, "2023-01-01")
		}, ""},
		"a number in a biobank":    {func(e entries) entries { e[3].Specimen.Biobank = "样本库 13800138000"; return e }, "PR001 specimens[0].biobank"},
		"nothing of a specimen":    {func(e entries) entries { *e[3].Specimen = entry.Specimen{Consent: entry.Yes}; return e }, "RQ001 specimens[0].biobank, RQ001 specimens[0].count, RQ001 specimens[0].status, RQ001 specimens[0].type"},
		"a stop before the start":  {func(e entries) entries { e[4].Treatment.Stop = date("2020-05-31"); return e }, "TX001 treatments[0].stop"},
		"a stop in the same month": {func(e entries) entries { e[4].Treatment.Stop = date("2020-06"); return e }, ""},
		"a unit by its own name":   {func(e entries) entries { e[4].Treatment.Dose.Unit.ID = "mg/kg"; return e }, "TX002 treatments[0].dose"},
		"a response to nothing":    {func(e entries) entries { e[4].Treatment.Status = entry.TreatmentRefused; return e }, "TX003 treatments[0].response"},
		"a drug not to be had": {func(e entries) entries {
			e[4].EventDate = entry.Date{}
			*e[4].Treatment = entry.Treatment{Agent: entry.Term{Label: "x"}, Status: entry.TreatmentNotAccessible}
			return e
		}, ""},
		"a start of no day":       {func(e entries) entries { e[4].EventDate = entry.Date{}; return e }, "RQ001 treatments[0].start"},
		"a treatment after death": {func(e entries) entries { e[2].EventDate = date("2020-05-10"); return died(e, "2020-05-20") }, "DT002 treatments[0].start"},
		"nothing of a treatment":  {func(e entries) entries { *e[4].Treatment = entry.Treatment{}; return e }, "RQ001 treatments[0].agent, RQ001 treatments[0].status"},
		"a visit after death":     {func(e entries) entries { return died(e, "2020-12-31") }, "DT002 followUps[0].visitDate, ST002 followUps[0].vitalStatus"},
		"dead and alive":          {func(e entries) entries { e = died(e, "2023-01-01"); e[0].Case.Life.Status = entry.Alive; return e }, "ST002 status"},
		"two deaths of one": {func(e entries) entries {
			e = died(e, "2023-01-01")
			e[0].Case.Life.TimeOfDeath = entry.When{Kind: entry.WhenDate, A: "2022"}
			return e
		}, "DT002 death.date"},
		"a death before birth":     {func(e entries) entries { return died(e[:2], "2001-01-31") }, "DT002 death.date"},
		"a death in the future":    {func(e entries) entries { return died(e, "2199-01-01") }, "DT001 death.date"},
		"nothing of a death":       {func(e entries) entries { e = died(e, ""); e[6].Death.Cause = entry.Term{}; return e }, "RQ001 death.cause, RQ001 death.date"},
		"a hospital of no code":    {func(e entries) entries { e[5].Referral.To = "协和"; return e }, "OR001 referrals[0].to"},
		"a code's check character": {func(e entries) entries { e[5].Referral.From = "12100000400000000X"; return e }, "OR001 referrals[0].from"},
		"a referral to nobody":     {func(e entries) entries { *e[5].Referral = entry.Referral{}; return e }, "RQ001 referrals[0].reason, RQ001 referrals[0].to"},
		"a referral before birth":  {func(e entries) entries { e[5].EventDate = date("1999-01-01"); return e }, "DT002 referrals[0].date"},
		"the second of two": {func(e entries) entries {
			s := *e[3].Specimen
			s.Consent = entry.No
			e = append(e, e[3])
			e[6].Specimen = &s
			return e
		}, "SP001 specimens[1].consent"},
	} {
		var got []string
		for _, f := range validate.Entries(ctx, tc.change(partsOf())...) {
			got = append(got, f.Code+" "+f.Where)
		}
		slices.Sort(got)
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s: got %q, want %q", name, s, tc.want)
		}
	}
}
