package intake

import (
	"slices"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Decided says what became of one file, in no words of its own.
type Decided struct {
	Source  entry.Source
	Outcome Outcome  // accepted, known or refused
	Changed bool     // of an accepted file: something of it was sent before with other content
	Rules   []string // codes of those that refused it, each once, sorted
}

// Daily makes the entry of what was handed in on a day that is over.
func (in *Intake) Daily(day entry.Date, content entry.Intake) entry.Entry {
	e := in.aboutNobody(entry.Entry{Type: entry.TypeIntake, ID: entry.IntakeID(in.cfg.EntryID, day), Intake: &content})
	e.EventDate = day
	return e
}

// Today is the hospital's day, at UTC+8.
func (in *Intake) Today() entry.Date { return in.today() }

// tell passes on what was decided. Files that wait are told of when they go on.
func (in *Intake) tell(batch []*work) error {
	if in.cfg.Decided == nil {
		return nil
	}
	var list []Decided
	for _, w := range batch {
		if w.result.Outcome == Waiting {
			continue
		}
		d := Decided{Source: max(w.file.Source, entry.SourcePhenopacket), Outcome: w.result.Outcome, Changed: w.changed}
		if d.Outcome == Refused {
			d.Rules = refusing(w.result.Findings)
		}
		list = append(list, d)
	}
	return in.cfg.Decided(in.today(), list)
}

// refusing returns the codes of the rules that refuse.
func refusing(findings []rule.Finding) (codes []string) {
	for _, f := range findings {
		if f.Severity == rule.E {
			codes = append(codes, f.Code)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// refusedAlready is what a file comes to that rules have refused where it was read.
func refusedAlready(f File) *work {
	w := &work{file: f}
	findings := make([]rule.Finding, len(f.Refused))
	for i, code := range f.Refused {
		findings[i] = rule.Finding{Code: code, Severity: rule.E}
	}
	w.refuse(findings)
	return w
}

// noteChanged marks files of which something was sent before with other content,
// before they are remembered themselves.
func (in *Intake) noteChanged(taken []*work) {
	if in.cfg.Memory == nil {
		return
	}
	for _, w := range taken {
		at := 0
		for _, p := range w.patients {
			_, before := in.cfg.Memory.Marked(in.markOf(p))
			w.changed = w.changed || before && !w.result.Entries[at].Known
			at += len(p.entries)
		}
	}
}
