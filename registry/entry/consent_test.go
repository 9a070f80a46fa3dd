package entry_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
)

func consent() entry.Entry {
	return entry.Entry{
		Type: entry.TypeConsent, Profile: entry.Report, ID: [32]byte{1},
		EventDate: entry.Date{Year: 2026, Month: 11, Day: 26}, Source: entry.SourceForm, Basis: entry.BasisStatutory,
		Consent: &entry.Consent{
			Status: entry.Stopped, Scope: entry.ScopeAll, By: entry.BySelf,
			Marks: [][32]byte{{0xaa}, {0xbb}}, Indexes: []uint64{7, 300},
		},
	}
}

// The bytes of a consent, written out by hand from docs/PROTOCOL.md.
func TestTheConsentEncodingIsTheDocumentedOne(t *testing.T) {
	tail := strings.Repeat("00", 31)
	want := "8b" + "08" + "01" + "01" + "582001" + tail + // array of 11: consent, schema 1, report, entry id
		"40" + "00" + // no pseudonym, no strength
		"83" + "1907ea" + "0b" + "181a" + // 2026-11-26
		"05" + "01" + "40" + // form, statutory, supersedes none
		"85" + "02" + "183f" + "01" + // stopped, every use, by the patient
		"82" + "5820aa" + tail + "5820bb" + tail + "82" + "07" + "19012c" // marks, indexes
	got, err := entry.Encode(consent())
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
}

func TestConsentsThatContradictThemselvesHaveNoEncoding(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"no status":                   func(e *entry.Entry) { e.Consent.Status = 0 },
		"a status of a later version": func(e *entry.Entry) { e.Consent.Status = 4 },
		"nothing stopped":             func(e *entry.Entry) { e.Consent.Scope = 0 },
		"in use and stopped":          func(e *entry.Entry) { e.Consent.Status = entry.InUse },
		"half erased":                 func(e *entry.Entry) { e.Consent.Status, e.Consent.Scope = entry.Erasing, entry.ScopeContact },
		"a use unheard of":            func(e *entry.Entry) { e.Consent.Scope = entry.ScopeAll + 1 },
		"by nobody":                   func(e *entry.Entry) { e.Consent.By = 0 },
		"no marks":                    func(e *entry.Entry) { e.Consent.Marks = nil },
		"seven marks":                 func(e *entry.Entry) { e.Consent.Marks = ascending(entry.MaxMarks + 1) },
		"the same mark twice":         func(e *entry.Entry) { e.Consent.Marks[1] = e.Consent.Marks[0] },
		"marks out of order":          func(e *entry.Entry) { slices.Reverse(e.Consent.Marks) },
		"an index twice":              func(e *entry.Entry) { e.Consent.Indexes[1] = 7 },
		"indexes out of order":        func(e *entry.Entry) { slices.Reverse(e.Consent.Indexes) },
		"too many indexes":            func(e *entry.Entry) { e.Consent.Indexes = make([]uint64, entry.MaxConcerned+1) },
		"under a pseudonym":           func(e *entry.Entry) { e.Pseudonym.Present = true },
		"of no day":                   func(e *entry.Entry) { e.EventDate.Day = 0 },
	} {
		e := consent()
		change(&e)
		if _, err := entry.Encode(e); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
}

func ascending(n int) (marks [][32]byte) {
	for i := range n {
		marks = append(marks, [32]byte{byte(i)})
	}
	return marks
}

// What Encode does not write, a hostile peer may: each stands for one check of
// the decoder.
func TestHostileConsentsAreENC001(t *testing.T) {
	good, err := entry.Encode(consent())
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(good)
	for name, change := range map[string][2]string{
		"in use and stopped":  {"8502183f", "8501183f"},
		"a use unheard of":    {"8502183f", "85021840"},
		"a long form":         {"8502183f", "850219003f"},
		"the same mark twice": {"5820bb", "5820aa"},
		"an index twice":      {"820719012c", "820707"},
		"no marks":            {"825820aa" + strings.Repeat("00", 31) + "5820bb" + strings.Repeat("00", 31), "80"},
	} {
		raw, err := hex.DecodeString(strings.Replace(text, change[0], change[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Decode(raw); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
}

// The expected values were computed apart from this program, with Python's
// hmac.
func TestMarksAndConsentIDsAreTheDocumentedHMACs(t *testing.T) {
	key := [32]byte{7}
	if got, want := fmt.Sprintf("%x", entry.Mark(key, [32]byte{0xaa})), "f0be7dff23c6cfaf1bd46200d5267cfefa2a6fdf6a63a6a05577cba5b143657d"; got != want {
		t.Errorf("mark: got %s, want %s", got, want)
	}
	c := *consent().Consent
	id, err := entry.ConsentID(key, c, [32]byte{})
	if got, want := fmt.Sprintf("%x", id), "863dc85643cebd15fc54bbed3a1e934094c8468ab0556a0c9d3595213de9a0ee"; err != nil || got != want {
		t.Errorf("id: got %s, want %s (%v)", got, want, err)
	}
	resumed := c
	resumed.Status, resumed.Scope = entry.InUse, 0
	for name, other := range map[string]func() ([32]byte, error){
		"a resumption":        func() ([32]byte, error) { return entry.ConsentID(key, resumed, [32]byte{}) },
		"after another":       func() ([32]byte, error) { return entry.ConsentID(key, c, [32]byte{1}) },
		"at another hospital": func() ([32]byte, error) { return entry.ConsentID([32]byte{8}, c, [32]byte{}) },
	} {
		if got, err := other(); err != nil || got == id {
			t.Errorf("%s has the same id (%v)", name, err)
		}
	}
	if _, err := entry.ConsentID(key, entry.Consent{}, [32]byte{}); err == nil {
		t.Error("an empty consent has an id")
	}
}

func TestUsesAreNamedBothWays(t *testing.T) {
	if s, ok := entry.ParseScope(entry.ScopeNames()...); !ok || s != entry.ScopeAll {
		t.Errorf("all names: %d, %v", s, ok)
	}
	if s, ok := entry.ParseScope("all"); !ok || s != entry.ScopeAll {
		t.Errorf("all: %d, %v", s, ok)
	}
	if s, ok := entry.ParseScope("contact", "industry"); !ok || s.String() != "contact, industry" {
		t.Errorf("two: %s, %v", s, ok)
	}
	for _, bad := range [][]string{nil, {""}, {"contact", "whim"}} {
		if _, ok := entry.ParseScope(bad...); ok {
			t.Errorf("%q is a scope", bad)
		}
	}
	if by, ok := entry.ParseBy("guardian"); !ok || by != entry.ByGuardian || by.String() != "guardian" {
		t.Errorf("guardian: %v, %v", by, ok)
	}
	if _, ok := entry.ParseBy("none"); ok {
		t.Error("none decides")
	}
}
