package intake

import (
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

var (
	certificate = Labelled{"old", identity.Document{Type: identity.BC, Value: "U440000001"}}
	residentID  = Labelled{"new", identity.Document{Type: identity.RIC, Value: "110105202002010033"}}
	ownNumber   = Labelled{"old", identity.Document{Type: identity.LOCAL, Value: "MRN-17"}}
)

func TestDocumentsAreIdentifiedTogether(t *testing.T) {
	d := newDesk(nil)
	ids, found, err := d.Identify(t.Context(), certificate, ownNumber, residentID)
	if err != nil || len(d.holders.calls) != 1 || len(d.holders.calls[0]) != 2 {
		t.Fatalf("%v; the holders were asked %d times", err, len(d.holders.calls))
	}
	strengths := []entry.Strength{ids[0].Strength, ids[1].Strength, ids[2].Strength}
	if !slices.Equal(strengths, []entry.Strength{entry.StrengthWeak, entry.StrengthLocal, entry.StrengthStrong}) {
		t.Errorf("strengths %v", strengths)
	}
	if ids[0].Pseudonym == ids[1].Pseudonym || ids[1].Pseudonym == ids[2].Pseudonym || ids[0].Pseudonym == ids[2].Pseudonym {
		t.Error("two documents have one pseudonym")
	}
	for _, f := range found {
		if f.Code != "ID010" || f.Where != "old" {
			t.Errorf("found %v", f)
		}
	}
	// As a file gives it: what is linked must be what was registered.
	file := withDocument(certificate.Document)
	d.take(t, file)
	if got := d.posted.entries(t)[0].Pseudonym.Value; got != ids[0].Pseudonym {
		t.Error("the same document in a file has another pseudonym")
	}
}

func TestARefusedDocumentKeepsHoldersFromBeingAsked(t *testing.T) {
	d := newDesk(nil)
	bad := residentID
	bad.Document.Value = "110105202002010031"
	_, _, err := d.Identify(t.Context(), Labelled{"old", identity.Document{Type: "XX", Value: "1"}}, bad)
	var refused *rule.Refusal
	if !errors.As(err, &refused) || len(refused.Findings) != 2 || refused.Findings[0].Where != "old" || refused.Findings[1].Code != "ID002" {
		t.Errorf("got %v, want a refusal of both", err)
	}
	if len(d.holders.calls) != 0 {
		t.Error("the holders were asked")
	}
	d.holders.err = errors.New("too few holders")
	if _, _, err := d.Identify(t.Context(), residentID); !errors.Is(err, d.holders.err) {
		t.Errorf("got %v, want the holders' error", err)
	}
}

func TestAnAliasIsPostedOnce(t *testing.T) {
	d := newDesk(nil)
	ids, _, err := d.Identify(t.Context(), certificate, residentID)
	if err != nil {
		t.Fatal(err)
	}
	a := entry.Alias{Action: entry.Link, Reason: entry.ReasonNewborn, Old: ids[0].Pseudonym, New: ids[1].Pseudonym, OldType: entry.DocumentTypeOf(ids[0].Identity), NewType: entry.DocumentTypeOf(ids[1].Identity)}
	e := d.Alias(a, a.Old, ids[0].Strength, [32]byte{})
	for i, known := range []bool{false, true} {
		got, err := d.Post(t.Context(), e)
		if err != nil || got.Known != known || got.ID != e.ID || got.Type != entry.TypeAlias {
			t.Errorf("posting %d: %+v, %v", i+1, got, err)
		}
	}
	if sent := d.posted.entries(t)[0]; *sent.Alias != a || sent.EventDate.String() != "2026-11-22" {
		t.Errorf("sent %+v of %s", sent.Alias, sent.EventDate)
	}
	if again := d.Alias(a, a.Old, ids[0].Strength, e.ID); again.ID == e.ID {
		t.Error("a link after another alias has its id")
	}
	if _, err := d.Post(t.Context(), d.Alias(a, [32]byte{9}, 0, [32]byte{})); err == nil {
		t.Error("an alias under a third pseudonym is posted")
	}
	d.posted.err = errors.New("no room")
	if _, err := d.Post(t.Context(), e); !errors.Is(err, d.posted.err) {
		t.Errorf("got %v, want the outbox' error", err)
	}
}
