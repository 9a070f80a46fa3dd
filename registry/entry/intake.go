package entry

import "crypto/sha256"

// An Intake is what a hospital's node was handed in files on one day, which is
// the entry's EventDate: numbers only, about no person. A hospital has at most one
// of a day, as its id, [IntakeID], says nothing else.
type Intake struct {
	Offered []Offered  // of each format of which anything came, by ascending Source
	Refused []RuleUsed // by ascending code
}

// Offered counts what came in one format: rows or patients of a file, or the file
// if it was refused before it had any. Each was decided on in one of four ways.
type Offered struct {
	Source   Source
	Accepted uint32 // new
	Changed  uint32 // accepted, of something that was sent before with other content
	Known    uint32 // sent before as it is
	Refused  uint32
}

// RuleUsed counts what a rule refused. What several rules refuse, each counts.
type RuleUsed struct {
	Rule  string // code, as ID002
	Count uint32
}

// maxIntakeRules bounds the rules of an intake.
const maxIntakeRules = 256

// All returns how many were offered.
func (o Offered) All() uint64 {
	return uint64(o.Accepted) + uint64(o.Changed) + uint64(o.Known) + uint64(o.Refused)
}

// IntakeID returns the entry id of the intake of a day: [ID] over the day as local
// id, as "2026-11-26", and the SHA-256 of "raresync/v1/intake\0". So a day has one,
// whatever it says.
func IntakeID(key [32]byte, day Date) [32]byte {
	return ID(key, TypeIntake, day.String(), sha256.Sum256([]byte("raresync/v1/intake\x00")))
}

// intakeFields carries the layout.
func (w *wire) intakeFields(e *Entry) {
	in := e.Intake
	w.array(2)
	list(w, &in.Offered, func(w *wire, o *Offered) {
		w.array(5)
		number(w, &o.Source, SourcePhenopacket, SourceForm)
		for _, n := range []*uint32{&o.Accepted, &o.Changed, &o.Known, &o.Refused} {
			number(w, n, 0, ^uint32(0))
		}
	})
	list(w, &in.Refused, func(w *wire, r *RuleUsed) {
		w.array(2)
		w.text(&r.Rule)
		number(w, &r.Count, 1, ^uint32(0))
	})
	w.nobody(e)
	if !in.agrees() || e.Supersedes != [32]byte{} {
		w.fail("an intake that contradicts itself")
	}
}

// agrees reports whether the lists are in order and of one story: something came,
// and no rule refused more than was refused.
func (in *Intake) agrees() bool {
	refused := uint64(0)
	for i, o := range in.Offered {
		if o.All() == 0 || i > 0 && o.Source <= in.Offered[i-1].Source {
			return false
		}
		refused += uint64(o.Refused)
	}
	for i, r := range in.Refused {
		if !isRuleCode(r.Rule) || uint64(r.Count) > refused || i > 0 && r.Rule <= in.Refused[i-1].Rule {
			return false
		}
	}
	return len(in.Offered) > 0 && len(in.Refused) <= maxIntakeRules && (len(in.Refused) > 0) == (refused > 0)
}
