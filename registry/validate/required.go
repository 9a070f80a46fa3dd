package validate

import (
	"fmt"
	"regexp"

	"github.com/raresync/raresync/registry/entry"
)

// required reports the fields that a profile requires and that are missing
// (RQ001). A missing disease is DX001.
func (c *check) required(p patient) {
	if e := p.clinical; e != nil {
		switch e.Profile {
		case entry.Published:
			c.need("references", e.Case.Published())
		case entry.Cohort:
			c.report(*e)
			c.recommended(*e)
		default:
			c.report(*e)
		}
	}
	for _, g := range p.genetics {
		if g.Profile != entry.Published {
			c.need("test", g.Genetics.Test != entry.TestNotGiven)
			c.need("result", g.Genetics.Outcome() != entry.ResultNotGiven)
		}
	}
	for i, f := range p.followUps {
		c.prefix = fmt.Sprintf("followUps[%d].", i)
		c.need("visitDate", f.EventDate.Known())
		c.need("vitalStatus", f.FollowUp.Vital != entry.VitalNotGiven)
		c.need("diseaseStatus", f.FollowUp.Disease != entry.StatusNotGiven)
		c.prefix = ""
	}
}

func (c *check) need(field string, given bool) {
	if !given {
		c.find("RQ001", field, "")
	}
}

var province = regexp.MustCompile(`^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])$`)

// report asks for the fields of direct reporting.
func (c *check) report(e entry.Entry) {
	k := e.Case
	c.need("verification", k.Verification != entry.VerificationNotGiven)
	c.need("sex", k.Sex != entry.SexNotGiven && k.Sex != entry.SexUnknown)
	c.need("birth", k.Birth.Precision() >= entry.PrecisionMonth)
	if d, ok := k.Principal(); ok {
		c.need("diagnosisDate", e.EventDate.Known())
		c.need("onset", d.Onset.Given())
	}
	c.need("status", k.Life.Status != entry.VitalNotGiven)
	c.need("department", k.Department != "")
	if k.Province != "" && !province.MatchString(k.Province) {
		c.find("RQ001", "province", "not the first two digits of GB/T 2260")
	} else {
		c.need("province", k.Province != "")
	}
}

// recommended asks for what a research cohort adds. Its genetic result, where
// the diagnosis is verified by one, is GN002.
func (c *check) recommended(e entry.Entry) {
	c.need("features", observed(e.Case.Features))
	c.need("firstContact", e.Case.FirstContact.Known())
	c.need("familyHistory", e.Case.FamilyHistory != entry.AnswerNotGiven)
}
