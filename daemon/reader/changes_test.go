package reader

import (
	"testing"

	"github.com/raresync/raresync/registry/entry"
)

// born adds a case with a year of birth and an id, and returns it.
func (a *account) born(hospital uint32, letter byte, year uint16) Opened {
	return a.add(hospital, entry.Entry{
		Type: entry.TypeCase, ID: [32]byte{letter, byte(a.next + 1)}, Facts: entry.Facts{Case: &entry.Case{Birth: entry.Date{Year: year, Month: 1}}},
		Profile: entry.Report, Source: entry.SourceForm, Pseudonym: entry.Pseudonym{Present: true, Value: name(letter)},
	})
}

// correct adds a correction of a case's year of birth.
func (a *account) correct(t *testing.T, by uint32, of Opened, year uint16, previous [32]byte) Opened {
	t.Helper()
	right := of.Entry
	right.Case = &entry.Case{Birth: entry.Date{Year: year, Month: 1}}
	e, err := entry.Correct([32]byte{1}, of.Index, of.Entry, right, entry.Mistyped, previous)
	if err != nil {
		t.Fatal(err)
	}
	return a.add(by, e)
}

func (a *account) consent(hospital uint32, status entry.ConsentStatus, scope entry.Scope, marks string, indexes ...uint64) *account {
	c := &entry.Consent{Status: status, Scope: scope, By: entry.BySelf, Indexes: indexes}
	for _, m := range []byte(marks) {
		c.Marks = append(c.Marks, name(m))
	}
	a.add(hospital, entry.Entry{Type: entry.TypeConsent, Consent: c})
	return a
}

func TestACountFollowsTheNewestValidCorrection(t *testing.T) {
	log := new(account)
	a, b := log.born(1, 'a', 1980), log.born(1, 'b', 1990)
	log.links(1, "ab")
	if got := log.tally().Count(); len(got.Links[0].Flags) != 1 {
		t.Fatalf("before: %+v", got)
	}
	first := log.correct(t, 1, b, 1985, [32]byte{})
	second := log.correct(t, 1, b, 1980, first.Entry.ID)
	log.correct(t, 2, b, 1999, [32]byte{}) // another hospital's
	stray := b
	stray.Index = a.Index // names the wrong entry
	log.correct(t, 1, stray, 1999, [32]byte{})
	got := log.tally().Count()
	if len(got.Links[0].Flags) != 0 || got.Corrected != 1 || got.Persons != 1 || got.Cases != 2 {
		t.Errorf("got %+v", got)
	}
	changes := &log.tally().changes
	if e, by, ok := changes.Correction(b); !ok || by.Index != second.Index || e.Case.Birth.Year != 1980 || e.ID != b.Entry.ID {
		t.Errorf("corrected by %d to %+v, %v", by.Index, e.Case, ok)
	}
	if _, _, ok := changes.Correction(a); ok {
		t.Error("the other case is corrected")
	}
	log.correct(t, 1, b, 1990, second.Entry.ID) // and back
	if got := log.tally().Count(); len(got.Links[0].Flags) != 1 {
		t.Errorf("corrected back: %+v", got)
	}
}

func TestACountLeavesOutWhatPatientsStopped(t *testing.T) {
	log := new(account).cases(1, "aa").cases(2, "a").cases(1, "b").links(1, "ab")
	count := func() Persons { return log.tally().Count() }
	for _, step := range []struct {
		name                   string
		do                     func()
		persons, cases, stays2 int
		stopped, links         int
	}{
		{"at first", func() {}, 1, 4, 1, 0, 1},
		{"contact alone is stopped", func() { log.consent(1, entry.Stopped, entry.ScopeContact, "x", 1, 2, 4, 5) }, 1, 4, 1, 0, 1},
		{"another hospital stops what is not its own", func() { log.consent(2, entry.Stopped, entry.ScopeAll, "x", 1, 2) }, 1, 4, 1, 0, 1},
		{"all is stopped at one", func() { log.consent(1, entry.Stopped, entry.ScopeAll, "xy", 1, 2, 4, 5) }, 1, 1, 0, 3, 0},
		{"and resumed, known by one mark", func() { log.consent(1, entry.InUse, 0, "y", 1, 2, 4, 5) }, 1, 4, 1, 0, 1},
		{"and is to be erased", func() { log.consent(1, entry.Erasing, entry.ScopeAll, "xy", 1, 2, 4, 5) }, 1, 1, 0, 3, 0},
		{"another patient resumes", func() { log.consent(1, entry.InUse, 0, "z", 1, 2, 4, 5) }, 1, 1, 0, 3, 0},
	} {
		step.do()
		p := count()
		if p.Persons != step.persons || p.Cases != step.cases || p.TwoHospitals != step.stays2 || p.Stopped != step.stopped || len(p.Links) != step.links {
			t.Errorf("%s: %+v", step.name, p)
		}
	}
	own := log.tally()
	own.whole = true
	if entries, _ := own.At(1, name('a')); entries != 2 || len(own.Same(name('a'))) != 2 {
		t.Errorf("the hospital finds %d entries of its patient", entries)
	}
}

func TestAUseThatIsStoppedConcernsWhatIsThereForIt(t *testing.T) {
	log := new(account).consent(1, entry.Stopped, entry.ScopeDrugs, "x", 4, 5)
	changes := &log.tally().changes
	drug := entry.Entry{Facts: entry.Facts{Treatment: &entry.Treatment{}}}
	right := entry.Entry{Correction: &entry.Correction{Facts: drug.Facts}}
	specimen := entry.Entry{Facts: entry.Facts{Specimen: &entry.Specimen{}}}
	for name, tc := range map[string]struct {
		e       entry.Entry
		stopped bool
	}{"a treatment": {drug, true}, "its correction": {right, true}, "a specimen": {specimen, false}, "a case": {entry.Entry{}, false}} {
		if got := changes.Stopped(1, 5, tc.e.Uses()); got != tc.stopped {
			t.Errorf("%s: stopped %v", name, got)
		}
	}
	if changes.Stopped(1, 6, drug.Uses()) || changes.Stopped(2, 5, drug.Uses()) {
		t.Error("another entry is stopped")
	}
}

func TestTheConsentThatStandsIsFoundByAnyMark(t *testing.T) {
	log := new(account).consent(1, entry.Stopped, entry.ScopeAll, "xy", 7).consent(2, entry.InUse, 0, "x")
	changes := &log.tally().changes
	for marks, want := range map[string]bool{"x": true, "y": true, "zy": true, "z": false} {
		var given [][32]byte
		for _, m := range []byte(marks) {
			given = append(given, name(m))
		}
		if o, ok := changes.Consent(1, given...); ok != want || ok && o.Index != 1 {
			t.Errorf("%s: %d, %v", marks, o.Index, ok)
		}
	}
	if len(changes.Consents(1)) != 1 || len(changes.Consents(3)) != 0 {
		t.Errorf("%d and %d consents stand", len(changes.Consents(1)), len(changes.Consents(3)))
	}
}
