package phenopacket

import (
	"slices"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
)

// The names of enumeration values in a phenopacket, by the entry's number.
var (
	sexNames      = []string{"", "MALE", "FEMALE", "OTHER_SEX", "UNKNOWN_SEX"}
	vitalNames    = []string{"", "ALIVE", "DECEASED", "", "", "UNKNOWN_STATUS"}
	progressNames = []string{"", "UNKNOWN_PROGRESS", "IN_PROGRESS", "COMPLETED", "SOLVED", "UNSOLVED"}
	standingNames = []string{"", "UNKNOWN_STATUS", "REJECTED", "CANDIDATE", "CONTRIBUTORY", "CAUSATIVE"}
	acmgNames     = []string{"", "NOT_PROVIDED", "BENIGN", "LIKELY_BENIGN", "UNCERTAIN_SIGNIFICANCE",
		"LIKELY_PATHOGENIC", "PATHOGENIC"}
)

// The names in the raresync member are those that package entry prints.
var (
	verificationWords = words[entry.Verification](4)
	lifeWords         = []string{"", "", "", "lost", "opted out"} // what the schema has no word for
	answerWords       = words[entry.Answer](3)
	testWords         = words[entry.TestType](10)
	resultWords       = words[entry.Result](4)
	basisWords        = append([]string{""}, words[entry.Basis](3)[1:]...)
)

// words returns the names of the values 0 to last.
func words[T interface {
	~uint8
	String() string
}](last T) []string {
	var names []string
	for v := T(0); v <= last; v++ {
		names = append(names, v.String())
	}
	return names
}

// caseLayout connects an entry's case with the clinical part of a packet.
func caseLayout(l *lens, v *value, e *entry.Entry) {
	c := e.Case
	if l.writing {
		v.Set("id", jsontree.TextOf(subjectMark))
	}
	l.inside(v, "subject", func(v *value) { subjectLayout(l, v, c) })
	each(l, v, "phenotypicFeatures", &c.Features, func(v *value, f *entry.Feature) { featureLayout(l, v, f) })
	each(l, v, "diseases", &c.Diseases, func(v *value, d *entry.Disease) { diseaseLayout(l, v, d) })
	l.inside(v, "raresync", func(v *value) { blockLayout(l, v, e) })
	l.inside(v, "metaData", func(v *value) {
		each(l, v, "externalReferences", &c.References, func(v *value, r *entry.Reference) {
			l.text(v, "id", &r.ID)
			l.text(v, "reference", &r.Address)
		})
	})
}

func subjectLayout(l *lens, v *value, c *entry.Case) {
	if l.writing {
		v.Set("id", jsontree.TextOf(subjectMark))
	}
	birthLayout(l, v, c)
	l.when(v, "timeAtLastEncounter", &c.LastEncounter)
	choice(l, v, "sex", &c.Sex, sexNames)
	l.inside(v, "vitalStatus", func(v *value) {
		choice(l, v, "status", &c.Life.Status, vitalNames)
		l.when(v, "timeOfDeath", &c.Life.TimeOfDeath)
		l.term(v, "causeOfDeath", &c.Life.Cause)
		l.count(v, "survivalTimeInDays", &c.Life.SurvivalDays)
	})
}

// birthLayout connects year and month of birth. Deidentification has already
// brought the date into the one form that birthText writes.
func birthLayout(l *lens, v *value, c *entry.Case) {
	if l.writing {
		if c.Birth.Precision() == entry.PrecisionMonth {
			v.Set("dateOfBirth", jsontree.TextOf(birthText(c.Birth)))
		}
		return
	}
	if s := v.Get("dateOfBirth").Str(); len(s) >= 7 {
		c.Birth, _ = entry.ParseDate(s[:7])
	}
}

func featureLayout(l *lens, v *value, f *entry.Feature) {
	l.term(v, "type", &f.Type)
	l.yes(v, "excluded", &f.Excluded)
	l.term(v, "severity", &f.Severity)
	each(l, v, "modifiers", &f.Modifiers, l.termFields)
	l.when(v, "onset", &f.Onset)
	l.when(v, "resolution", &f.Resolution)
}

func diseaseLayout(l *lens, v *value, d *entry.Disease) {
	term := entry.Term{Label: d.Text}
	var more []string
	if len(d.Codes) > 0 {
		term.ID, more = d.Codes[0], d.Codes[1:]
	}
	l.term(v, "term", &term)
	l.yes(v, "excluded", &d.Excluded)
	l.when(v, "onset", &d.Onset)
	l.inside(v, "raresync", func(v *value) { l.texts(v, "codes", &more) })
	if l.writing {
		return
	}
	if d.Text = term.Label; term.ID != "" {
		d.Codes = append([]string{term.ID}, more...)
	}
}

// blockLayout connects the raresync member: what direct reporting needs and
// the schema has no place for.
func blockLayout(l *lens, v *value, e *entry.Entry) {
	c := e.Case
	l.text(v, "department", &c.Department)
	l.text(v, "province", &c.Province)
	if basisIsSaid(l, v, e) {
		choice(l, v, "basis", &e.Basis, basisWords)
	}
	l.date(v, "diagnosisDate", &e.EventDate)
	if !l.writing || !c.Inferred {
		choice(l, v, "verification", &c.Verification, verificationWords)
	}
	if !l.writing || c.Life.Status == entry.Lost || c.Life.Status == entry.OptedOut {
		lifeLayout(l, v, c)
	}
	if l.writing && c.Birth.Precision() == entry.PrecisionYear || !l.writing && !c.Birth.Known() {
		l.date(v, "birth", &c.Birth) // only a year is left there
	}
	l.yes(v, "deathDateUnknown", &c.Life.DeathDateUnknown)
	l.date(v, "firstContact", &c.FirstContact)
	choice(l, v, "familyHistory", &c.FamilyHistory, answerWords)
	choice(l, v, "consanguinity", &c.Consanguinity, answerWords)
	l.count(v, "hospitalsBefore", &c.HospitalsBefore)
	l.text(v, "referredFrom", &c.ReferredFrom)
	l.text(v, "payer", &c.Payer)
}

// basisIsSaid reports whether the packet states a legal basis: the duty to report
// goes without saying, and [Packet.consent] refuses what is no basis.
func basisIsSaid(l *lens, v *value, e *entry.Entry) bool {
	if l.writing {
		return e.Basis == entry.BasisConsent || e.Basis == entry.BasisBoth
	}
	return slices.Contains(basisWords[1:], v.Get("basis").Str())
}

// lifeLayout connects the two statuses that the schema does not know, unless
// the packet gives one of its own.
func lifeLayout(l *lens, v *value, c *entry.Case) {
	if l.writing || c.Life.Status == entry.VitalNotGiven {
		choice(l, v, "status", &c.Life.Status, lifeWords)
	}
}

// geneticsLayout connects a genetic entry with the genetic part of a packet.
func geneticsLayout(l *lens, v *value, e *entry.Entry) {
	g := e.Genetics
	each(l, v, "interpretations", &g.Interpretations, func(v *value, in *entry.Interpretation) {
		choice(l, v, "progressStatus", &in.Progress, progressNames)
		l.inside(v, "diagnosis", func(v *value) {
			l.term(v, "disease", &in.Disease)
			each(l, v, "genomicInterpretations", &in.Variants, func(v *value, variant *entry.Variant) {
				variantLayout(l, v, variant)
			})
		})
	})
	l.inside(v, "raresync", func(v *value) {
		l.inside(v, "geneticTest", func(v *value) {
			choice(l, v, "type", &g.Test, testWords)
			l.date(v, "date", &e.EventDate)
			choice(l, v, "result", &g.Stated, resultWords)
			l.text(v, "lab", &g.Lab)
		})
	})
}

func variantLayout(l *lens, v *value, variant *entry.Variant) {
	choice(l, v, "interpretationStatus", &variant.Standing, standingNames)
	l.inside(v, "variantInterpretation", func(v *value) {
		choice(l, v, "acmgPathogenicityClassification", &variant.ACMG, acmgNames)
		l.inside(v, "variationDescriptor", func(v *value) {
			l.inside(v, "geneContext", func(v *value) {
				l.text(v, "valueId", &variant.Gene.ID)
				l.text(v, "symbol", &variant.Gene.Label)
			})
			each(l, v, "expressions", &variant.Expressions, func(v *value, e *entry.Expression) {
				l.text(v, "syntax", &e.Syntax)
				l.text(v, "value", &e.Value)
			})
			l.inside(v, "vcfRecord", func(v *value) { vcfLayout(l, v, &variant.VCF) })
			l.term(v, "allelicState", &variant.Zygosity)
		})
	})
}

func vcfLayout(l *lens, v *value, r *entry.VCF) {
	l.text(v, "genomeAssembly", &r.Assembly)
	l.text(v, "chrom", &r.Chrom)
	l.digits(v, "pos", &r.Position)
	l.text(v, "ref", &r.Ref)
	l.text(v, "alt", &r.Alt)
}
