package reader

import (
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// say posts one entry of a hospital.
func (w *world) say(m *member, e entry.Entry) uint64 {
	w.t.Helper()
	raw, err := entry.Encode(e)
	must(w.t, err)
	part := seal.Clinical
	if e.IsGenetic() {
		part = seal.Genetic
	}
	first, _ := w.post(m, []envelope.Plain{{Part: part, CBOR: raw}})
	return first
}

func TestReadersFollowCorrectionsAndConsentsOfTheLog(t *testing.T) {
	w := newWorld(t)
	w.post(w.a, plaintexts(t))
	index := w.index(w.a, entry.TypeCase)
	national := w.reader(w.genetic, "", nil)
	before, err := national.Changes(t.Context())
	must(t, err)
	first, err := national.Entry(index)
	must(t, err)

	right, moved := first.Entry, *first.Entry.Case
	moved.Sex, right.Case = entry.SexOther, &moved
	correction, err := entry.Correct([32]byte{1}, index, first.Entry, right, entry.Mistyped, [32]byte{})
	must(t, err)
	by := w.say(w.a, correction)
	genetics, err := national.Entry(w.index(w.a, entry.TypeGenetics))
	must(t, err)
	better, result := genetics.Entry, *genetics.Entry.Genetics
	result.Lab, better.Genetics = "another", &result
	apart, err := entry.Correct([32]byte{1}, genetics.Index, genetics.Entry, better, entry.Revised, [32]byte{})
	must(t, err)
	w.say(w.a, apart)

	changes, err := national.Changes(t.Context())
	must(t, err)
	if e, at, ok := changes.Correction(first); !ok || at.Index != by || e.Case.Sex != entry.SexOther {
		t.Errorf("corrected by %d, %v", at.Index, ok)
	}
	if _, _, ok := changes.Correction(genetics); !ok {
		t.Error("the genetic result is not corrected for who may read it")
	}
	if _, _, ok := before.Correction(first); ok {
		t.Error("what was returned before has changed")
	}
	if own, err := w.reader(w.clinical, "", nil).Changes(t.Context()); err != nil || len(own.corrections) != 1 {
		t.Errorf("without the right: %d corrections, %v", len(own.corrections), err)
	}
	if p := w.packet(w.genetic); p["subject"].(map[string]any)["sex"] != "OTHER_SEX" {
		t.Errorf("the packet's subject is %v", p["subject"])
	}

	c := entry.Consent{Status: entry.Stopped, Scope: entry.ScopeAll, By: entry.BySelf, Marks: [][32]byte{{1}}, Indexes: []uint64{index}}
	w.say(w.a, entry.Entry{
		Type: entry.TypeConsent, Profile: entry.Report, EventDate: entry.Date{Year: 2026, Month: 9, Day: 22}, Source: entry.SourceForm, Consent: &c,
	})
	if changes, err = national.Changes(t.Context()); err != nil || !changes.Stopped(w.a.number, index, entry.ScopeRegistry) || changes.Stopped(w.b.number, index, entry.ScopeRegistry) {
		t.Errorf("it is not stopped, %v", err)
	}
	if _, err := national.Phenopacket(t.Context(), index); !errors.Is(err, ErrStopped) {
		t.Errorf("a packet for a reader: %v, want ErrStopped", err)
	}
	if _, err := w.reader(w.a, "", nil).Phenopacket(t.Context(), index); err != nil {
		t.Errorf("a packet for its hospital: %v", err)
	}
	if got, err := national.Persons(t.Context()); err != nil || got.Stopped != 1 || got.Persons != 0 {
		t.Errorf("counted %+v, %v", got, err)
	}
}
