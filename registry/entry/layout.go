package entry

// The layouts: each function writes or reads one array. A new field goes to
// the end of its array together with a new schema version.

func (w *wire) entry(e *Entry) {
	w.array(11)
	number(w, &e.Type, TypeCase, lastType) // fields refuses the reserved ones between
	version := uint8(SchemaVersion)
	number(w, &version, SchemaVersion, SchemaVersion)
	number(w, &e.Profile, Report, Published)
	w.hash(&e.ID)
	w.optionalHash(&e.Pseudonym.Present, &e.Pseudonym.Value)
	number(w, &e.Strength, StrengthNone, StrengthLocal)
	w.date(&e.EventDate)
	number(w, &e.Source, SourcePhenopacket, SourceForm)
	number(w, &e.Basis, BasisNone, BasisBoth)
	supersedes := e.Supersedes != [32]byte{}
	w.optionalHash(&supersedes, &e.Supersedes)
	if supersedes && e.Supersedes == [32]byte{} {
		w.fail("supersedes zeros")
	}
	w.fields(e)
}

func (w *wire) fields(e *Entry) {
	if w.in != nil {
		switch e.Facts = Blank(e.Type); e.Type {
		case TypeConsent:
			e.Consent = new(Consent)
		case TypeCorrection:
			e.Correction = new(Correction)
		case TypeAlias:
			e.Alias = new(Alias)
		case TypeQuery:
			e.Query = new(Query)
		case TypeReply:
			e.Reply = new(Reply)
		case TypeBiobank, TypeCollection, TypeCohort:
			e.Card = new(Card)
		case TypeIntake:
			e.Intake = new(Intake)
		case TypeLetter:
			e.Letter = new(Letter)
		case TypeCheck:
			e.Check = new(Check)
		}
	}
	switch {
	case !e.agrees():
		w.fail("type and fields disagree")
	case e.Consent != nil:
		w.consentFields(e)
	case e.Correction != nil:
		w.correctionFields(e)
	case e.Alias != nil:
		w.aliasFields(e)
	case e.Query != nil:
		w.queryFields(e)
	case e.Reply != nil:
		w.replyFields(e)
	case e.Card != nil:
		w.cardFields(e)
	case e.Intake != nil:
		w.intakeFields(e)
	case e.Letter != nil:
		w.letterFields(e)
	case e.Check != nil:
		w.checkFields(e)
	default:
		w.facts(&e.Facts)
	}
}

// agrees reports whether the fields of the entry's type are there, and no
// others.
func (e *Entry) agrees() bool {
	of := e.Type
	switch {
	case e.Any() && e.Card == nil:
		of = e.Of()
	case e.Any() || (e.Card != nil) != of.IsCard():
		return false
	}
	return of == e.Type && of == onlyOne([]set{
		{of, e.Any() || e.Card != nil}, {TypeConsent, e.Consent != nil}, {TypeCorrection, e.Correction != nil}, {TypeAlias, e.Alias != nil},
		{TypeQuery, e.Query != nil}, {TypeReply, e.Reply != nil}, {TypeIntake, e.Intake != nil}, {TypeLetter, e.Letter != nil},
		{TypeCheck, e.Check != nil},
	})
}

func (w *wire) caseFields(c *Case) {
	w.array(18)
	list(w, &c.Diseases, (*wire).disease)
	number(w, &c.Verification, 0, Undiagnosed)
	w.flag(&c.Inferred)
	number(w, &c.Sex, 0, SexUnknown)
	w.date(&c.Birth)
	if c.Birth.Day != 0 {
		w.fail("birth known to the day")
	}
	w.life(&c.Life)
	w.when(&c.LastEncounter)
	w.texts(&c.Department, &c.Province)
	list(w, &c.Features, (*wire).feature)
	list(w, &c.References, (*wire).reference)
	w.date(&c.FirstContact)
	number(w, &c.FamilyHistory, 0, AnswerUnknown)
	number(w, &c.Consanguinity, 0, AnswerUnknown)
	number(w, &c.HospitalsBefore, 0, ^Count(0))
	w.texts(&c.ReferredFrom, &c.Payer)
	w.blob(&c.Extension)
}

func (w *wire) disease(d *Disease) {
	w.array(5)
	list(w, &d.Codes, (*wire).text)
	w.text(&d.Text)
	w.flag(&d.Excluded)
	w.when(&d.Onset)
	w.array(4)
	w.text(&d.Match.Edition)
	list(w, &d.Match.Rows, func(w *wire, r *Row) {
		w.array(2)
		number(w, &r.List, 1, 255)
		number(w, &r.Number, 1, 65535)
	})
	w.flag(&d.Match.Ambiguous)
	w.flag(&d.Match.Unconfirmed)
}

func (w *wire) life(l *Life) {
	w.array(5)
	number(w, &l.Status, 0, VitalUnknown)
	w.when(&l.TimeOfDeath)
	w.term(&l.Cause)
	number(w, &l.SurvivalDays, 0, ^Count(0))
	w.flag(&l.DeathDateUnknown)
}

func (w *wire) feature(f *Feature) {
	w.array(6)
	w.term(&f.Type)
	w.flag(&f.Excluded)
	w.when(&f.Onset)
	w.when(&f.Resolution)
	w.term(&f.Severity)
	list(w, &f.Modifiers, (*wire).term)
}

func (w *wire) reference(r *Reference) {
	w.array(2)
	w.texts(&r.ID, &r.Address)
}

func (w *wire) geneticsFields(g *Genetics) {
	w.array(6)
	w.hash(&g.Case)
	number(w, &g.Test, 0, testEnd-1)
	number(w, &g.Stated, 0, resultEnd-1)
	w.text(&g.Lab)
	list(w, &g.Interpretations, func(w *wire, in *Interpretation) {
		w.array(3)
		number(w, &in.Progress, 0, progressEnd-1)
		w.term(&in.Disease)
		list(w, &in.Variants, (*wire).variant)
	})
	w.blob(&g.Extension)
}

func (w *wire) variant(v *Variant) {
	w.array(7)
	number(w, &v.Standing, 0, standingEnd-1)
	number(w, &v.ACMG, 0, acmgEnd-1)
	w.term(&v.Gene)
	list(w, &v.Expressions, func(w *wire, e *Expression) {
		w.array(2)
		w.texts(&e.Syntax, &e.Value)
	})
	w.array(5)
	w.texts(&v.VCF.Assembly, &v.VCF.Chrom, &v.VCF.Position, &v.VCF.Ref, &v.VCF.Alt)
	w.term(&v.Zygosity)
	w.term(&v.Inheritance)
}

func (w *wire) followUpFields(f *FollowUp) {
	w.array(8)
	w.hash(&f.Case)
	number(w, &f.Vital, 0, VitalUnknown)
	number(w, &f.Disease, 0, statusEnd-1)
	w.date(&f.NextVisit)
	w.texts(&f.Scale, &f.Score)
	list(w, &f.Measurements, func(w *wire, m *Measurement) {
		w.array(3)
		w.term(&m.Assay)
		w.text(&m.Value)
		w.term(&m.Unit)
	})
	w.blob(&f.Extension)
}
