package intake

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Memory is what the hospital remembers of what it has sent; [outbox.Outbox] is
// one.
type Memory interface {
	Knows(ids [][32]byte) []bool
	Mark(list []outbox.Mark) error
	Marked(m outbox.Mark) (person, source bool)
	Contradicts(m outbox.Mark) (entries [][32]byte)
}

// Foreseen is what would become of a file. A patient is in one of the counts.
type Foreseen struct {
	Findings []rule.Finding // those of reading, and DU004 to DU006
	Refused  bool           // by rule: the file as a whole
	Added    int            // patients of whom this hospital has sent nothing, as far as it remembers
	Changed  int            // sent before with other content
	Linked   int            // the patient is known here, by this document, and this is new
	Known    int            // all of it was sent before
}

// Preview reads and checks files as Take does, and says what would become of them.
// It asks no share holder and keeps nothing. A patient who has stopped use, or is
// known by another document alone, cannot be told without the holders.
func (in *Intake) Preview(files []File, profile entry.Profile) []Foreseen {
	batch := in.readAll(files, profile)
	out := make([]Foreseen, len(batch))
	here := map[[32]byte]bool{} // persons and entries of this batch
	for i, w := range batch {
		f := &out[i]
		f.Refused = w.result.Outcome == Refused
		for _, p := range w.patients {
			m := in.markOf(p)
			code, count := in.foresee(p, m, here)
			if *f.of(count)++; code != "" {
				w.result.Findings = append(w.result.Findings, p.packet.Locate([]rule.Finding{rule.Find(code, "$.subject.id", "")})...)
			}
		}
		f.Findings = w.result.Findings
	}
	return out
}

type foreseen int

const (
	added foreseen = iota
	changed
	linked
	known
)

func (f *Foreseen) of(count foreseen) *int {
	return []*int{&f.Added, &f.Changed, &f.Linked, &f.Known}[count]
}

// foresee says what would become of a patient. here has the persons and entries of
// the batch before, and takes the patient's.
func (in *Intake) foresee(p patient, m outbox.Mark, here map[[32]byte]bool) (code string, count foreseen) {
	ids := make([][32]byte, len(p.entries))
	for i, e := range p.entries {
		ids[i] = e.ID
	}
	sent, person, source := make([]bool, len(ids)), false, false
	if in.cfg.Memory != nil {
		sent = in.cfg.Memory.Knows(ids)
		person, source = in.cfg.Memory.Marked(m)
	}
	person = person || here[m.Person]
	all := true
	for i, id := range ids {
		sent[i] = sent[i] || here[id]
		all = all && sent[i]
		here[id] = true
	}
	here[m.Person] = true
	switch {
	case all:
		return "DU004", known
	case source && !sent[0]: // the case itself differs
		return "DU005", changed
	case person || sent[0]:
		return "DU006", linked
	}
	return "", added
}

// markOf makes a patient's mark. It shares no key use with pseudonyms: what is on
// disk is none, not even a local one.
func (in *Intake) markOf(p patient) outbox.Mark {
	mac := hmac.New(sha256.New, in.cfg.Local[:])
	mac.Write([]byte("raresync/v1/person-mark\x00"))
	if x := p.id.X(); x != nil {
		mac.Write(x)
	} else {
		mac.Write(p.id.LocalKey())
	}
	return outbox.Mark{Entry: p.entries[0].ID, Person: [32]byte(mac.Sum(nil)), Source: p.packet.SourceID(in.cfg.EntryID)}
}

// mark remembers the patients of files that were taken.
func (in *Intake) mark(taken []*work) error {
	if in.cfg.Memory == nil {
		return nil
	}
	var list []outbox.Mark
	for _, w := range taken {
		for _, p := range w.patients {
			list = append(list, in.markOf(p))
		}
	}
	return in.cfg.Memory.Mark(list)
}
