package entry_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
)

func letterOf(change func(*entry.Entry)) entry.Entry {
	e := queryOf(func(e *entry.Entry) { e.Type, e.Query = entry.TypeLetter, nil })
	e.Letter = &entry.Letter{
		Hospital: 2, Of: entry.Date{Year: 2026, Month: 10}, Size: 300, Root: [32]byte{0xdd}, Edition: "x", Open: 3, Oldest: 40,
		Worst: []entry.LetterSpot{{Rule: "DT003", Field: "sex", Count: 2}},
		Lines: []entry.LetterLine{{Indicator: "Q8", Value: 7, Of: 9, Median: 80, Hospitals: 12, Band: 3}, {Indicator: "Q12", Value: 1, Of: 9}},
	}
	change(&e)
	return e
}

// The bytes of a letter, written out by hand from docs/PROTOCOL.md.
func TestTheLetterEncodingIsTheDocumentedOne(t *testing.T) {
	want := "8b" + "13" + "01" + "01" + "582001" + strings.Repeat("00", 31) + "40" + "00" + "83" + "1907ea" + "0b" + "181a" + "05" + "01" + "40" +
		"89" + "02" + "83" + "1907ea" + "0a" + "00" + "19012c" + "5820dd" + strings.Repeat("00", 31) + "6178" + "03" + "1828" +
		"81" + "83" + "654454303033" + "63736578" + "02" +
		"82" + "86" + "625138" + "07" + "09" + "1850" + "0c" + "03" + "86" + "63513132" + "01" + "09" + "00" + "00" + "00"
	got, err := entry.Encode(letterOf(asIs))
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
	back, err := entry.Decode(got)
	if err != nil || back.Type != entry.TypeLetter || back.Letter.Lines[1].Indicator != "Q12" || !back.Addressee().Is(2, "") || !entry.MayBeAddressed(got) {
		t.Errorf("decodes as %+v, %v", back, err)
	}
	if content, err := back.Content(); err != nil || !strings.Contains(string(content), `"indicator":"Q8"`) {
		t.Errorf("content %s, %v", content, err)
	}
}

func TestLettersThatSayNothingOrTooMuchHaveNoEncoding(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"to nobody":                func(e *entry.Entry) { e.Letter.Hospital = 0 },
		"of a day":                 func(e *entry.Entry) { e.Letter.Of.Day = 3 },
		"of a year":                func(e *entry.Entry) { e.Letter.Of.Month = 0 },
		"of nothing":               func(e *entry.Entry) { e.Letter.Lines = nil },
		"with a text":              func(e *entry.Entry) { e.Letter.Lines[0].Indicator = strings.Repeat("x", 65) },
		"with a field of text":     func(e *entry.Entry) { e.Letter.Worst[0].Field = strings.Repeat("x", 65) },
		"with a long edition":      func(e *entry.Entry) { e.Letter.Edition = strings.Repeat("x", 65) },
		"with a median of none":    func(e *entry.Entry) { e.Letter.Lines[1].Median = 1 },
		"with a median of few":     func(e *entry.Entry) { e.Letter.Lines[0].Hospitals = entry.LetterHospitals - 1 },
		"with a band among none":   func(e *entry.Entry) { e.Letter.Lines[1].Band = 1 },
		"with a fifth quarter":     func(e *entry.Entry) { e.Letter.Lines[0].Band = 5 },
		"that found nothing":       func(e *entry.Entry) { e.Letter.Worst[0].Count = 0 },
		"with a rule that is none": func(e *entry.Entry) { e.Letter.Worst[0].Rule = "sex" },
		"that found too much":      func(e *entry.Entry) { e.Letter.Worst = slices.Repeat(e.Letter.Worst, 6) },
		"with the age of nothing":  func(e *entry.Entry) { e.Letter.Open = 0 },
		"too long":                 func(e *entry.Entry) { e.Letter.Lines = make([]entry.LetterLine, 257) },
		"under a pseudonym":        func(e *entry.Entry) { e.Pseudonym.Present = true },
		"in place of another":      func(e *entry.Entry) { e.Supersedes = [32]byte{1} },
		"sent on no day":           func(e *entry.Entry) { e.EventDate.Day = 0 },
	} {
		if _, err := entry.Encode(letterOf(change)); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
	key, month := [32]byte{1}, entry.Date{Year: 2026, Month: 10}
	first, again, other := entry.LetterID(key, 2, month), entry.LetterID(key, 2, month), entry.LetterID(key, 3, month)
	if first != again || first == other {
		t.Error("a letter's id is not that of its hospital and month")
	}
}
