package entry_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
)

func alias() entry.Entry {
	a := entry.Entry{
		Type: entry.TypeAlias, Profile: entry.Report, ID: [32]byte{1}, Strength: entry.StrengthWeak,
		EventDate: entry.Date{Year: 2026, Month: 11, Day: 26}, Source: entry.SourceForm, Basis: entry.BasisStatutory,
		Alias: &entry.Alias{Action: entry.Link, Reason: entry.ReasonNewborn, Old: [32]byte{0xaa}, New: [32]byte{0xbb}, OldType: 6, NewType: 1},
	}
	a.Pseudonym = entry.Pseudonym{Present: true, Value: a.Alias.Old}
	return a
}

// The bytes of an alias, written out by hand from docs/PROTOCOL.md.
func TestTheAliasEncodingIsTheDocumentedOne(t *testing.T) {
	tail := strings.Repeat("00", 31)
	want := "8b" + "0b" + "01" + "01" + "582001" + tail + // array of 11: alias, schema 1, report, entry id
		"5820aa" + tail + "02" + // under the old pseudonym, weak
		"83" + "1907ea" + "0b" + "181a" + // 2026-11-26
		"05" + "01" + "40" + // form, statutory, supersedes none
		"86" + "01" + "01" + "5820aa" + tail + "5820bb" + tail + "06" + "01" // link, newborn, old, new, BC, RIC
	got, err := entry.Encode(alias())
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
}

func TestAliasesThatSayNothingHaveNoEncoding(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"no action":                    func(e *entry.Entry) { e.Alias.Action = 0 },
		"an action of a later version": func(e *entry.Entry) { e.Alias.Action = 3 },
		"no reason":                    func(e *entry.Entry) { e.Alias.Reason = 0 },
		"a reason of a later version":  func(e *entry.Entry) { e.Alias.Reason = 6 },
		"without the old type":         func(e *entry.Entry) { e.Alias.OldType = 0 },
		"a type of a later version":    func(e *entry.Entry) { e.Alias.NewType = 9 },
		"of a pseudonym with itself":   func(e *entry.Entry) { e.Alias.New = e.Alias.Old },
		"under a third pseudonym":      func(e *entry.Entry) { e.Pseudonym.Value[31] ^= 1 },
		"under none":                   func(e *entry.Entry) { e.Pseudonym = entry.Pseudonym{} },
		"with a case beside it":        func(e *entry.Entry) { e.Case = &entry.Case{} },
	} {
		e := alias()
		change(&e)
		if _, err := entry.Encode(e); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
	under := alias()
	under.Pseudonym.Value = under.Alias.New
	if _, err := entry.Encode(under); err != nil {
		t.Errorf("under the new pseudonym: %v", err)
	}
}

// What Encode does not write, a hostile peer may: each stands for one check of
// the decoder.
func TestHostileAliasesAreENC001(t *testing.T) {
	good, err := entry.Encode(alias())
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(good)
	for name, change := range map[string][2]string{
		"of a pseudonym with itself": {"5820bb", "5820aa"},
		"under a third pseudonym":    {"5820aa", "5820ab"},
		"without an action":          {"8601015820", "8600015820"},
		"with a reason unheard of":   {"8601015820", "8601065820"},
		"with a text for an action":  {"8601015820", "8660015820"},
		"of a reserved type":         {"8b0b", "8b09"},
		"of a type beyond":           {"8b0b", "8b0c"},
	} {
		bad, err := hex.DecodeString(strings.Replace(text, change[0], change[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Decode(bad); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
	if _, err := entry.Decode(good); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func TestAnAliasIDKnowsTheLinkAndNotItsTelling(t *testing.T) {
	key := [32]byte{7}
	a := *alias().Alias
	id := entry.AliasID(key, a, [32]byte{})
	// Computed apart from this program, with Python's hmac.
	if got, want := fmt.Sprintf("%x", id), "662ebdd0e779c2c615eddb958e98b7e7a0fde7823e1088041c3f769821ad525b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	turned := entry.Alias{Action: a.Action, Reason: entry.ReasonOther, Old: a.New, New: a.Old}
	if entry.AliasID(key, turned, [32]byte{}) != id {
		t.Error("the same two the other way round, for another reason, have another id")
	}
	unlink, third := a, a
	unlink.Action, third.New = entry.Unlink, [32]byte{0xcc}
	for name, other := range map[string][32]byte{
		"an unlink":           entry.AliasID(key, unlink, [32]byte{}),
		"a third pseudonym":   entry.AliasID(key, third, [32]byte{}),
		"after another alias": entry.AliasID(key, a, [32]byte{1}),
		"at another hospital": entry.AliasID([32]byte{8}, a, [32]byte{}),
	} {
		if other == id {
			t.Errorf("%s has the same id", name)
		}
	}
}

func TestPrintingAnAliasHidesThePseudonyms(t *testing.T) {
	e := alias()
	for _, v := range []any{e, *e.Alias, e.Alias} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if s := strings.ToLower(fmt.Sprintf(verb, v)); strings.Contains(s, "0xaa") || strings.Contains(s, "170") || strings.Contains(s, "bb0") {
				t.Errorf("%s of a %T shows a pseudonym: %s", verb, v, s)
			}
		}
	}
}

func TestTheContentOfAnAliasIsForItsReaders(t *testing.T) {
	raw, err := alias().Content()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got["action"] != "link" || got["reason"] != "newborn" || !strings.HasPrefix(got["old"], "aa00") || !strings.HasPrefix(got["new"], "bb00") {
		t.Errorf("got %s", raw)
	}
}

func TestReasonsAreNamedBothWays(t *testing.T) {
	names := entry.AliasReasons()
	if len(names) != 5 {
		t.Fatalf("%d reasons, want 5", len(names))
	}
	for i, s := range names {
		r, ok := entry.ParseAliasReason(s)
		if !ok || int(r) != i+1 || r.String() != s {
			t.Errorf("%s: %d, %v, %s", s, r, ok, r)
		}
	}
	for _, s := range []string{"", "none", "Newborn", "whim"} {
		if _, ok := entry.ParseAliasReason(s); ok {
			t.Errorf("%q is a reason", s)
		}
	}
	if entry.Type(9).String() != "unknown" || entry.TypeAlias.String() != "alias" {
		t.Errorf("types are called %q and %q", entry.Type(9), entry.TypeAlias)
	}
}
