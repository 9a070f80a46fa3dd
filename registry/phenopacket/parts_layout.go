package phenopacket

import "github.com/raresync/raresync/registry/entry"

// The names of the parts' enumeration values are those that package entry
// prints.
var (
	visitWords          = words[entry.Vital](5)
	statusWords         = words[entry.DiseaseStatus](5)
	specimenWords       = words[entry.SpecimenKind](13)
	specimenStatusWords = words[entry.SpecimenStatus](5)
	storageWords        = words[entry.Storage](7)
	treatmentWords      = words[entry.TreatmentStatus](4)
	responseWords       = words[entry.Response](6)
	stopWords           = words[entry.StopReason](8)
	accessWords         = words[entry.Access](7)
	bandWords           = words[entry.Band](5)
	referralWords       = words[entry.ReferralReason](8)
)

// visitLayout connects a follow-up with one element of raresync.followUps.
func visitLayout(l *lens, v *value, e *entry.Entry) {
	f := e.FollowUp
	l.date(v, "visitDate", &e.EventDate)
	choice(l, v, "vitalStatus", &f.Vital, visitWords)
	choice(l, v, "diseaseStatus", &f.Disease, statusWords)
	l.date(v, "nextVisit", &f.NextVisit)
	l.text(v, "scale", &f.Scale)
	l.digits(v, "score", &f.Score)
	each(l, v, "measurements", &f.Measurements, func(v *value, m *entry.Measurement) {
		l.term(v, "assay", &m.Assay)
		l.inside(v, "value", func(v *value) {
			l.inside(v, "quantity", func(v *value) {
				l.term(v, "unit", &m.Unit)
				l.digits(v, "value", &m.Value)
			})
		})
	})
}

// specimenLayout connects a specimen with one element of raresync.specimens. The
// neutral names by which specimens derive from one another stay in the
// extension.
func specimenLayout(l *lens, v *value, e *entry.Entry) {
	s := e.Specimen
	choice(l, v, "type", &s.Kind, specimenWords)
	l.date(v, "collected", &e.EventDate)
	l.text(v, "biobank", &s.Biobank)
	l.count(v, "count", &s.Count)
	choice(l, v, "status", &s.Status, specimenStatusWords)
	choice(l, v, "consent", &s.Consent, answerWords)
	l.text(v, "sprec", &s.SPREC)
	l.term(v, "site", &s.Site)
	quantityLayout(l, v, "volume", &s.Volume)
	choice(l, v, "storage", &s.Storage, storageWords)
	l.yes(v, "postMortem", &s.PostMortem)
	l.yes(v, "prenatal", &s.Prenatal)
}

func quantityLayout(l *lens, v *value, name string, q *entry.Quantity) {
	l.inside(v, name, func(v *value) {
		l.term(v, "unit", &q.Unit)
		l.digits(v, "value", &q.Value)
	})
}

// treatmentLayout connects a treatment with one element of raresync.treatments.
func treatmentLayout(l *lens, v *value, e *entry.Entry) {
	t := e.Treatment
	l.term(v, "agent", &t.Agent)
	choice(l, v, "status", &t.Status, treatmentWords)
	l.date(v, "start", &e.EventDate)
	l.date(v, "stop", &t.Stop)
	choice(l, v, "stopReason", &t.Reason, stopWords)
	quantityLayout(l, v, "dose", &t.Dose)
	l.count(v, "line", &t.Line)
	choice(l, v, "response", &t.Response, responseWords)
	each(l, v, "adverseEvents", &t.Adverse, l.termFields)
	choice(l, v, "access", &t.Access, accessWords)
	l.text(v, "payer", &t.Payer)
	choice(l, v, "outOfPocket", &t.OutOfPocket, bandWords)
	l.count(v, "monthsWaiting", &t.MonthsWaiting)
}

// deathLayout connects a death with raresync.death.
func deathLayout(l *lens, v *value, e *entry.Entry) {
	l.date(v, "date", &e.EventDate)
	l.term(v, "cause", &e.Death.Cause)
	choice(l, v, "related", &e.Death.Related, answerWords)
}

// referralLayout connects a referral with one element of raresync.referrals.
func referralLayout(l *lens, v *value, e *entry.Entry) {
	r := e.Referral
	l.date(v, "date", &e.EventDate)
	l.text(v, "from", &r.From)
	l.text(v, "to", &r.To)
	choice(l, v, "reason", &r.Reason, referralWords)
	choice(l, v, "accepted", &r.Accepted, answerWords)
}
