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

func cardOf(change func(*entry.Entry)) entry.Entry {
	e := queryOf(func(e *entry.Entry) { e.Type, e.Query = entry.TypeCollection, nil })
	e.Card = &entry.Card{
		ID: "C1", Name: "N", Within: "B1", Diseases: []string{"ORPHA:558"}, Kinds: []entry.SpecimenKind{entry.SpecimenBlood, entry.SpecimenDNA},
		Storage: []entry.Storage{entry.StorageDeep}, Persons: entry.CountOf(12), Status: entry.CardOpen, Access: entry.Yes,
		Start: entry.Date{Year: 2020},
	}
	change(&e)
	return e
}

// The bytes of a card, written out by hand from docs/PROTOCOL.md.
func TestTheCardEncodingIsTheDocumentedOne(t *testing.T) {
	want := "8b" + "10" + "01" + "01" + "582001" + strings.Repeat("00", 31) + "40" + "00" + "83" + "1907ea" + "0b" + "181a" + "05" + "01" + "40" +
		"91" + "624331" + "614e" + "60" + "60" + "624231" + "60" + "60" + // C1, N, in B1
		"81" + "69" + hex.EncodeToString([]byte("ORPHA:558")) + "82" + "01" + "05" + "81" + "04" + // blood, DNA; deep frozen
		"00" + "0d" + "00" + "00" + "02" + "01" + "82" + "831907e40000" + "83000000" // 12 persons, open, yes, from 2020
	got, err := entry.Encode(cardOf(asIs))
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
	back, err := entry.Decode(got)
	if err != nil || back.Type != entry.TypeCollection || !slices.Equal(back.Card.Kinds, cardOf(asIs).Card.Kinds) {
		t.Errorf("decodes as %+v, %v", back, err)
	}
	if content, err := back.Content(); err != nil || !strings.Contains(string(content), `"persons":12`) {
		t.Errorf("content %s, %v", content, err)
	}
}

func TestCardsThatSayNothingHaveNoEncoding(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"no id":                  func(e *entry.Entry) { e.Card.ID = "" },
		"a long id":              func(e *entry.Entry) { e.Card.ID = strings.Repeat("x", 65) },
		"many diseases":          func(e *entry.Entry) { e.Card.Diseases = make([]string, 257) },
		"a kind not given":       func(e *entry.Entry) { e.Card.Kinds[0] = 0 },
		"a kind unheard of":      func(e *entry.Entry) { e.Card.Kinds[0] = 99 },
		"a storage not given":    func(e *entry.Entry) { e.Card.Storage[0] = 0 },
		"a status unheard of":    func(e *entry.Entry) { e.Card.Status = 9 },
		"a design unheard of":    func(e *entry.Entry) { e.Card.Design = 9 },
		"no day of the calendar": func(e *entry.Entry) { e.Card.End = entry.Date{Year: 2020, Month: 2, Day: 30} },
		"under a pseudonym":      func(e *entry.Entry) { e.Pseudonym.Present = true },
		"of no day":              func(e *entry.Entry) { e.EventDate.Day = 0 },
		"of another type":        func(e *entry.Entry) { e.Type = entry.TypeQuery },
		"of a case as well":      func(e *entry.Entry) { e.Case = &entry.Case{} },
		"of a query as well":     func(e *entry.Entry) { e.Query = queryOf(asIs).Query },
		"no card":                func(e *entry.Entry) { e.Card = nil },
	} {
		if _, err := entry.Encode(cardOf(change)); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
}

func TestHostileCardsAreENC001(t *testing.T) {
	good, err := entry.Encode(cardOf(asIs))
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(good)
	for name, change := range map[string][2]string{
		"no id":               {"91624331", "9160"},
		"another number":      {"91624331", "90624331"},
		"a kind not given":    {"82010581", "82000581"},
		"a date of no day":    {"831907e40000", "831907e4021f"},
		"a claimed length":    {"8201058104", "9affffffff01"},
		"of a type of before": {"8b10", "8b0e"},
		"of a type of later":  {"8b10", "8b12"},
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

func TestCardsHaveIDsOfTheirOwn(t *testing.T) {
	key, c := [32]byte{7}, *cardOf(asIs).Card
	ids := map[string]bool{}
	for _, t16 := range []entry.Type{entry.TypeBiobank, entry.TypeCollection, entry.TypeCohort} {
		for _, before := range [][32]byte{{}, {1}} {
			id, err := entry.CardID(key, t16, c, before)
			if err != nil {
				t.Fatal(err)
			}
			ids[fmt.Sprintf("%x", id)] = true
		}
	}
	if len(ids) != 6 {
		t.Errorf("%d ids of 6 cards", len(ids))
	}
	if _, err := entry.CardID(key, entry.TypeCohort, entry.Card{}, [32]byte{}); err == nil {
		t.Error("an empty card has an id")
	}
}

func TestWordsOfCardsAreReadAsTheyArePrinted(t *testing.T) {
	if d, ok := entry.ParseDesign("both"); !ok || d.String() != "both" {
		t.Errorf("both: %v %v", d, ok)
	}
	if s, ok := entry.ParseCardStatus(""); !ok || s != entry.CardStatusNotGiven {
		t.Errorf("none: %v %v", s, ok)
	}
	if k, ok := entry.ParseSpecimenKind("dried blood"); !ok || k != entry.SpecimenDriedBlood {
		t.Errorf("dried blood: %v %v", k, ok)
	}
	if s, ok := entry.ParseStorage("liquid nitrogen"); !ok || s != entry.StorageNitrogen {
		t.Errorf("liquid nitrogen: %v %v", s, ok)
	}
	if a, ok := entry.ParseAnswer("no"); !ok || a != entry.No {
		t.Errorf("no: %v %v", a, ok)
	}
	for _, bad := range []string{"case", "", "cohorts"} {
		if _, ok := entry.ParseCardType(bad); ok {
			t.Errorf("%q is a card's type", bad)
		}
	}
	if _, ok := entry.ParseCardStatus("running"); ok {
		t.Error("running is a status")
	}
}
