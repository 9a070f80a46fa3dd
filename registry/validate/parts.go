package validate

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
)

// A part is an entry that belongs to the case, with how its fields are named.
type part struct {
	*entry.Entry
	prefix string // as "followUps[2]."
}

// partNames are the lists of parts in a source, by type.
var partNames = map[entry.Type]string{
	entry.TypeFollowUp: "followUps", entry.TypeSpecimen: "specimens", entry.TypeTreatment: "treatments", entry.TypeReferral: "referrals",
}

// add takes a part, in the order of its type.
func (p *patient) add(e *entry.Entry) {
	if e.Death != nil {
		p.death = e
		p.parts = append(p.parts, part{e, "death."})
		return
	}
	n := 0
	for _, other := range p.parts {
		if other.Of() == e.Of() {
			n++
		}
	}
	p.parts = append(p.parts, part{e, fmt.Sprintf("%s[%d].", partNames[e.Of()], n)})
}

// A lifetime is what is known of the days between which a patient's parts lie.
type lifetime struct{ birth, death span }

// parts checks visits, specimens, treatments, death and referrals by themselves,
// and against birth and death.
func (c *check) parts(p patient) {
	var life lifetime
	if p.clinical != nil {
		k := p.clinical.Case
		life.birth = spanOf(k.Birth)
		life.death = when(k.Life.TimeOfDeath, life.birth)
		c.stated(*p.clinical, p.death)
	}
	if p.death != nil && p.death.EventDate.Known() {
		c.sameDeath(life.death, spanOf(p.death.EventDate))
		life.death = spanOf(p.death.EventDate)
	}
	for _, part := range p.parts {
		c.prefix = part.prefix
		switch e := part.Entry; {
		case e.FollowUp != nil:
			c.visit(*e, life)
		case e.Specimen != nil:
			c.specimen(*e, life)
		case e.Treatment != nil:
			c.treatment(*e, life)
		case e.Death != nil:
			c.during(*e, "date", lifetime{birth: life.birth})
			c.text("cause", e.Death.Cause.Label)
		case e.Referral != nil:
			c.referral(*e, life)
		}
		c.prefix = ""
	}
}

// stated asks for a date of death, or the statement that nobody knows it
// (ST001), and doubts a death of somebody alive (ST002). A published case is
// exempt from the first: its source says what it says.
func (c *check) stated(e entry.Entry, death *entry.Entry) {
	l := e.Case.Life
	if l.Status == entry.Dead && !l.TimeOfDeath.Given() && !l.DeathDateUnknown && death == nil && e.Profile != entry.Published {
		c.find("ST001", "status", "no date of death")
	}
	if l.Status == entry.Alive && death != nil {
		c.find("ST002", "status", "alive, and a death is reported")
	}
}

// sameDeath reports two dates of one death that cannot both be right.
func (c *check) sameDeath(a, b span) {
	if a.surelyAfter(b) || b.surelyAfter(a) {
		c.find("DT002", "death.date", "the case has another date of death")
	}
}

// during checks a part's day: not in the future, known to the day, within the
// life (DT002).
func (c *check) during(e entry.Entry, field string, life lifetime) {
	day := spanOf(e.EventDate)
	c.notFuture(field, day)
	c.whole(e.Profile, field, e.EventDate)
	if life.birth.surelyAfter(day) {
		c.find("DT002", field, "before birth")
	}
	if day.surelyAfter(life.death) {
		c.find("DT002", field, "after death")
	}
}

func (c *check) visit(e entry.Entry, life lifetime) {
	c.during(e, "visitDate", life)
	if spanOf(e.EventDate).surelyAfter(life.death) && e.FollowUp.Vital == entry.Alive {
		c.find("ST002", "vitalStatus", "alive after death")
	}
	c.text("scale", e.FollowUp.Scale)
}

// postMortem is how many days after a death a specimen may be collected without
// being called post mortem.
const postMortem = 30

// specimen checks a specimen: consent to keep it (SP001), and a day within the
// life but for what was collected before (SP003) or after it (DT002).
func (c *check) specimen(e entry.Entry, life lifetime) {
	s := e.Specimen
	if s.Consent != entry.Yes {
		c.find("SP001", "consent", "")
	}
	collected := spanOf(e.EventDate)
	c.notFuture("collected", collected)
	c.whole(e.Profile, "collected", e.EventDate)
	if life.birth.surelyAfter(collected) && !s.Prenatal {
		c.find("SP003", "collected", "")
	}
	if late := life.death; late.known && !s.PostMortem {
		late.last = late.last.AddDate(0, 0, postMortem)
		if collected.surelyAfter(late) {
			c.find("DT002", "collected", fmt.Sprintf("more than %d days after death, and not marked post mortem", postMortem))
		}
	}
	c.text("biobank", s.Biobank)
	if len(c.Biobanks) > 0 && s.Biobank != "" && !containsFold(c.Biobanks, strings.TrimSpace(s.Biobank)) {
		c.find("SP004", "biobank", "")
	}
	c.text("sprec", s.SPREC)
	c.text("site", s.Site.Label)
	c.unit("volume", s.Volume)
}

// treatment checks a treatment: its end (TX001), units (TX002), and that what was
// not begun has no response (TX003).
func (c *check) treatment(e entry.Entry, life lifetime) {
	t := e.Treatment
	c.during(e, "start", life)
	stop := spanOf(t.Stop)
	c.notFuture("stop", stop)
	if spanOf(e.EventDate).surelyAfter(stop) {
		c.find("TX001", "stop", "")
	}
	begun := t.Status == entry.TreatmentStarted || t.Status == entry.TreatmentStopped
	if !begun && t.Response != entry.ResponseNotGiven && t.Response != entry.ResponseUnknown {
		c.find("TX003", "response", "")
	}
	c.text("agent", t.Agent.Label)
	c.text("payer", t.Payer)
	for i, a := range t.Adverse {
		c.text(fmt.Sprintf("adverseEvents[%d]", i), a.Label)
	}
	c.unit("dose", t.Dose)
}

// unit doubts a number whose unit is not a code of UCUM (TX002).
func (c *check) unit(field string, q entry.Quantity) {
	if code, of := strings.CutPrefix(q.Unit.ID, "UCUM:"); q.Value != "" && (!of || code == "" || strings.ContainsAny(code, " \t")) {
		c.find("TX002", field, "")
	}
}

// referral checks the codes of the hospitals (OR001). Whom a patient is sent to
// is a member, since the referral is sealed to it (OR003).
func (c *check) referral(e entry.Entry, life lifetime) {
	c.during(e, "date", life)
	c.hospital("from", e.Referral.From, false)
	c.hospital("to", e.Referral.To, true)
}

// hospital checks a code. In a demo network a member's may have another form.
func (c *check) hospital(field, code string, member bool) {
	outside := ""
	if c.Outside != nil && code != "" {
		outside = c.Outside(code)
	}
	switch {
	case code == "" || c.Outside != nil && outside == "":
	case identity.CheckUSCC(code) != nil:
		c.find("OR001", field, "not a unified social credit code")
	case member && outside != "":
		c.find("OR003", field, outside)
	}
}
