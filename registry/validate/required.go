package validate

import (
	"regexp"

	"github.com/raresync/raresync/registry/entry"
)

// required reports the fields that a profile requires and that are missing
// (RQ001). A missing disease is DX001.
func (c *check) required(p patient) {
	if e := p.clinical; e != nil {
		switch e.Profile {
		case entry.Published:
			c.need(e.Profile, "references", e.Case.Published())
			if s := e.Case.Province; s != "" && !province.MatchString(s) {
				c.find("DX003", "province", "not the first two digits of GB/T 2260; kept as it is")
			}
		case entry.Cohort:
			c.report(*e)
			c.recommended(*e)
		default:
			c.report(*e)
		}
	}
	for _, g := range p.genetics {
		if g.Profile != entry.Published {
			c.need(g.Profile, "test", g.Genetics.Test != entry.TestNotGiven)
			c.need(g.Profile, "result", g.Genetics.Outcome() != entry.ResultNotGiven)
		}
	}
	for _, part := range p.parts {
		c.prefix = part.prefix
		c.partNeeds(part.Entry)
		c.prefix = ""
	}
}

// partNeeds asks for what says least of a visit, a specimen and so on.
func (c *check) partNeeds(e *entry.Entry) {
	need := func(field string, given bool, what string) { c.ask(e.Profile, field, given, what) }
	switch {
	case e.FollowUp != nil:
		c.need(e.Profile, "visitDate", e.EventDate.Known())
		c.need(e.Profile, "vitalStatus", e.FollowUp.Vital != entry.VitalNotGiven)
		c.need(e.Profile, "diseaseStatus", e.FollowUp.Disease != entry.StatusNotGiven)
	case e.Specimen != nil:
		_, counted := e.Specimen.Count.Value()
		need("type", e.Specimen.Kind != entry.SpecimenNotGiven, "the kind of specimen")
		need("collected", e.EventDate.Known(), "the day of collection")
		need("biobank", e.Specimen.Biobank != "", "the biobank")
		need("count", counted, "the number of vials")
		need("status", e.Specimen.Status != entry.SpecimenStatusNotGiven, "whether the specimen is available")
	case e.Treatment != nil:
		status := e.Treatment.Status
		begun := status == entry.TreatmentStarted || status == entry.TreatmentStopped
		need("agent", e.Treatment.Agent.Given(), "the drug or procedure")
		need("status", status != entry.TreatmentStatusNotGiven, "the status of the treatment")
		need("start", e.EventDate.Known() || !begun, "the day on which the treatment started")
	case e.Death != nil:
		need("date", e.EventDate.Known(), "the date of death")
		need("cause", e.Death.Cause.Given(), "the cause of death")
	case e.Referral != nil:
		need("date", e.EventDate.Known(), "the day of the referral")
		need("reason", e.Referral.Reason != entry.ReferralNotGiven, "the reason of the referral")
		need("to", e.Referral.To != "" || e.Referral.From != "", "the hospital that the patient was sent to or came from")
	}
}

// called says in plain words what the fields are that a profile may require.
var called = map[string]string{
	"references": "a publication (PMID or DOI)", "test": "the kind of genetic test",
	"result": "the result of the genetic test", "visitDate": "the visit date", "vitalStatus": "the vital status",
	"diseaseStatus": "the status of the disease", "verification": "how the diagnosis was verified",
	"sex": "the sex at birth", "birth": "the year and month of birth", "diagnosisDate": "the diagnosis date",
	"onset": "the onset of the disease", "status": "the vital status", "department": "the department",
	"province": "the province of residence", "features": "an HPO feature that was observed",
	"firstContact": "the date of the first contact", "familyHistory": "the family history",
}

func (c *check) need(p entry.Profile, field string, given bool) {
	c.ask(p, field, given, called[field])
}

// ask is need for a field that what says in plain words.
func (c *check) ask(p entry.Profile, field string, given bool, what string) {
	if !given {
		c.find("RQ001", field, "profile "+p.String()+" needs "+what)
	}
}

var province = regexp.MustCompile(`^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])$`)

// report asks for the fields of direct reporting.
func (c *check) report(e entry.Entry) {
	k := e.Case
	c.need(e.Profile, "verification", k.Verification != entry.VerificationNotGiven)
	c.need(e.Profile, "sex", k.Sex != entry.SexNotGiven && k.Sex != entry.SexUnknown)
	c.need(e.Profile, "birth", k.Birth.Precision() >= entry.PrecisionMonth)
	if d, ok := k.Principal(); ok {
		c.need(e.Profile, "diagnosisDate", e.EventDate.Known())
		c.need(e.Profile, "onset", d.Onset.Given())
	}
	c.need(e.Profile, "status", k.Life.Status != entry.VitalNotGiven)
	c.need(e.Profile, "department", k.Department != "")
	if k.Province == "" || province.MatchString(k.Province) {
		c.need(e.Profile, "province", k.Province != "")
	} else {
		c.find("RQ001", "province", "profile "+e.Profile.String()+" needs the first two digits of GB/T 2260")
	}
}

// recommended asks for what a research cohort adds. Its genetic result, where
// the diagnosis is verified by one, is GN002.
func (c *check) recommended(e entry.Entry) {
	c.need(e.Profile, "features", observed(e.Case.Features))
	c.need(e.Profile, "firstContact", e.Case.FirstContact.Known())
	c.need(e.Profile, "familyHistory", e.Case.FamilyHistory != entry.AnswerNotGiven)
}
