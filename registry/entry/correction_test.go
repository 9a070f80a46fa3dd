package entry_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
)

// visit is an entry and what it should have said.
func visit() (first, corrected entry.Entry) {
	first = entry.Entry{
		Type: entry.TypeFollowUp, Profile: entry.Report, ID: [32]byte{1}, Strength: entry.StrengthStrong,
		Pseudonym: entry.Pseudonym{Present: true, Value: [32]byte{0xaa}},
		EventDate: entry.Date{Year: 2024, Month: 5}, Source: entry.SourceCSV, Basis: entry.BasisStatutory,
		Facts: entry.Facts{FollowUp: &entry.FollowUp{Vital: entry.Alive, Disease: entry.StatusStable}},
	}
	corrected = first
	corrected.ID, corrected.EventDate.Month = [32]byte{2}, 6
	corrected.FollowUp = &entry.FollowUp{Vital: entry.Alive, Disease: entry.StatusWorse}
	return first, corrected
}

func correction(t *testing.T, previous [32]byte) entry.Entry {
	t.Helper()
	first, corrected := visit()
	e, err := entry.Correct([32]byte{7}, 300, first, corrected, entry.Mistyped, previous)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// The bytes of a correction, written out by hand from docs/PROTOCOL.md.
func TestTheCorrectionEncodingIsTheDocumentedOne(t *testing.T) {
	tail := strings.Repeat("00", 31)
	e := correction(t, [32]byte{})
	want := "8b" + "0a" + "01" + "01" + "5820" + hex.EncodeToString(e.ID[:]) +
		"5820aa" + tail + "01" + // the pseudonym, strong
		"83" + "1907e8" + "06" + "00" + // 2024-06, as corrected
		"02" + "01" + "582001" + tail + // csv, statutory, supersedes
		"84" + "19012c" + "01" + "03" + // index 300, mistyped, a follow-up
		"88" + "5820" + strings.Repeat("00", 32) + "01" + "03" + "83000000" + "60" + "60" + "80" + "40"
	got, err := entry.Encode(e)
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
}

func TestACorrectionGivesTheEntryItsContent(t *testing.T) {
	first, corrected := visit()
	by := correction(t, [32]byte{})
	got, ok := first.Corrected(by, 300)
	if !ok || got.Type != entry.TypeFollowUp || got.ID != first.ID || got.EventDate != corrected.EventDate ||
		got.FollowUp.Disease != entry.StatusWorse || got.Supersedes != first.Supersedes || got.Correction != nil {
		t.Errorf("got %+v, %v", got, ok)
	}
	for name, change := range map[string]func(first, by *entry.Entry) uint64{
		"at another index":      func(_, _ *entry.Entry) uint64 { return 301 },
		"of another id":         func(f, _ *entry.Entry) uint64 { f.ID[0]++; return 300 },
		"of another pseudonym":  func(f, _ *entry.Entry) uint64 { f.Pseudonym.Value[0]++; return 300 },
		"of another type":       func(f, _ *entry.Entry) uint64 { f.Type = entry.TypeCase; return 300 },
		"that is no correction": func(_, by *entry.Entry) uint64 { by.Correction = nil; return 300 },
	} {
		first, _ := visit()
		by := correction(t, [32]byte{})
		at := change(&first, &by)
		if got, ok := first.Corrected(by, at); ok || got.EventDate != first.EventDate {
			t.Errorf("%s: it counts", name)
		}
	}
}

func TestAnEntryMayBeCorrectedBack(t *testing.T) {
	first := correction(t, [32]byte{})
	if again := correction(t, [32]byte{}); again.ID != first.ID {
		t.Error("the same correction has two ids")
	}
	if later := correction(t, first.ID); later.ID == first.ID {
		t.Error("the same content after another correction has the same id")
	}
}

func TestCorrectionsThatFitNothingAreNotMade(t *testing.T) {
	first, corrected := visit()
	corrected.Type, corrected.FollowUp, corrected.Case = entry.TypeCase, nil, &entry.Case{}
	if _, err := entry.Correct([32]byte{7}, 1, first, corrected, entry.Mistyped, [32]byte{}); err == nil {
		t.Error("a follow-up is corrected by a case")
	}
	if _, err := entry.Correct([32]byte{7}, 1, alias(), alias(), entry.Mistyped, [32]byte{}); err == nil {
		t.Error("an alias is corrected")
	}
	good := correction(t, [32]byte{})
	for name, change := range map[string]func(*entry.Entry){
		"of no entry":       func(e *entry.Entry) { e.Supersedes = [32]byte{} },
		"for no reason":     func(e *entry.Entry) { e.Correction.Reason = 0 },
		"with no content":   func(e *entry.Entry) { e.Correction.FollowUp = nil },
		"with two":          func(e *entry.Entry) { e.Correction.Case = &entry.Case{} },
		"with fields twice": func(e *entry.Entry) { e.FollowUp = &entry.FollowUp{} },
	} {
		e := good
		c := *good.Correction
		e.Correction = &c
		change(&e)
		if _, err := entry.Encode(e); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
}

func TestHostileCorrectionsAreENC001(t *testing.T) {
	good, err := entry.Encode(correction(t, [32]byte{}))
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(good)
	for name, change := range map[string][2]string{
		"of an alias":     {"8419012c0103", "8419012c010b"},
		"of another type": {"8419012c0103", "8419012c0101"},
		"for no reason":   {"8419012c0103", "8419012c0003"},
		"of no entry":     {"0201582001" + strings.Repeat("00", 31), "020140"},
	} {
		bad, err := hex.DecodeString(strings.Replace(text, change[0], change[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Decode(bad); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
}

func TestACorrectionOfGeneticsIsSealedApart(t *testing.T) {
	for kind, want := range map[entry.Type]bool{entry.TypeGenetics: true, entry.TypeCase: false, entry.TypeCorrection: true} {
		if got := full(kind).IsGenetic(); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
	if correction(t, [32]byte{}).IsGenetic() {
		t.Error("a correction of a follow-up is sealed apart")
	}
	if names := entry.CorrectionReasons(); len(names) != 4 || names[0] != "mistyped" {
		t.Errorf("reasons: %q", names)
	}
	if r, ok := entry.ParseCorrectionReason("disputed"); !ok || r.String() != "disputed" {
		t.Errorf("disputed: %v, %v", r, ok)
	}
}
