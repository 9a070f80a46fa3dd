package entry_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
)

func checkOf(change func(*entry.Entry)) entry.Entry {
	e := queryOf(func(e *entry.Entry) { e.Type, e.Query = entry.TypeCheck, nil })
	e.Check = &entry.Check{Letter: 300, Index: 7, Entry: [32]byte{0xcc}, Result: entry.CheckDiffers, Differs: []entry.CheckField{entry.CheckSex, entry.CheckOnset}}
	change(&e)
	return e
}

// The bytes of a check, written out by hand from docs/PROTOCOL.md.
func TestTheCheckEncodingIsTheDocumentedOne(t *testing.T) {
	want := "8b" + "14" + "01" + "01" + "582001" + strings.Repeat("00", 31) + "40" + "00" + "83" + "1907ea" + "0b" + "181a" + "05" + "01" + "40" +
		"85" + "19012c" + "07" + "5820cc" + strings.Repeat("00", 31) + "02" + "82" + "01" + "06"
	got, err := entry.Encode(checkOf(asIs))
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s (%v)", got, want, err)
	}
	back, err := entry.Decode(got)
	if err != nil || back.Type != entry.TypeCheck || back.Check.Differs[1] != entry.CheckOnset || entry.MayBeAddressed(got) {
		t.Errorf("decodes as %+v, %v", back, err)
	}
	if content, err := back.Content(); err != nil || !strings.Contains(string(content), `"differs":["sex","onset"]`) {
		t.Errorf("content %s, %v", content, err)
	}
}

func TestChecksThatContradictThemselvesHaveNoEncoding(t *testing.T) {
	for name, change := range map[string]func(*entry.Entry){
		"that differ in nothing":   func(e *entry.Entry) { e.Check.Differs = nil },
		"that agree but in sex":    func(e *entry.Entry) { e.Check.Result = entry.CheckAgrees },
		"of nothing that differ":   func(e *entry.Entry) { e.Check.Result = entry.CheckNoSource },
		"without a result":         func(e *entry.Entry) { e.Check.Result = 0 },
		"with a result of later":   func(e *entry.Entry) { e.Check.Result = 4 },
		"with a field twice":       func(e *entry.Entry) { e.Check.Differs = []entry.CheckField{1, 1} },
		"out of order":             func(e *entry.Entry) { slices.Reverse(e.Check.Differs) },
		"with a field of later":    func(e *entry.Entry) { e.Check.Differs[1] = entry.CheckPatient + 1 },
		"under a pseudonym":        func(e *entry.Entry) { e.Pseudonym.Present = true },
		"made on no day":           func(e *entry.Entry) { e.EventDate.Day = 0 },
		"that are letters as well": func(e *entry.Entry) { e.Letter = letterOf(asIs).Letter },
	} {
		if _, err := entry.Encode(checkOf(change)); err == nil {
			t.Errorf("checks %s: one encodes", name)
		}
	}
	key, c := [32]byte{1}, *checkOf(asIs).Check
	first, err := entry.CheckID(key, c, [32]byte{})
	again, _ := entry.CheckID(key, c, first)
	if err != nil || first == again {
		t.Errorf("a check that takes the place of one has its id: %x, %v", again, err)
	}
}

// Both sides draw alike, nobody can foresee the draw, and erasing takes nothing else out
// of it.
func TestTheDrawFollowsFromTheLetter(t *testing.T) {
	l := *letterOf(asIs).Letter
	var all []uint64
	for i := range uint64(500) {
		all = append(all, 3*i)
	}
	drawn := entry.Drawn(l, all)
	if len(drawn) != entry.CheckedEach || !slices.IsSorted(drawn) {
		t.Fatalf("drawn are %d", drawn)
	}
	if !slices.Equal(drawn[:3], []uint64{12, 213, 234}) {
		t.Errorf("as the page has it, worked out without this code, the letter draws %d", drawn[:3])
	}
	shuffled := slices.Clone(all)
	slices.Reverse(shuffled)
	if !slices.Equal(entry.Drawn(l, shuffled), drawn) {
		t.Error("the order of the registrations counts")
	}
	left := slices.DeleteFunc(slices.Clone(all), func(i uint64) bool { return i == drawn[4] })
	after := entry.Drawn(l, left)
	for _, i := range drawn {
		if i != drawn[4] && !slices.Contains(after, i) {
			t.Errorf("%d is drawn no more because another was erased", i)
		}
	}
	for name, change := range map[string]func(*entry.Letter){
		"another root": func(l *entry.Letter) { l.Root[31]++ }, "another month": func(l *entry.Letter) { l.Of.Month++ },
		"another year": func(l *entry.Letter) { l.Of.Year++ }, "another hospital": func(l *entry.Letter) { l.Hospital++ },
	} {
		other := l
		change(&other)
		if slices.Equal(entry.Drawn(other, all), drawn) {
			t.Errorf("%s draws the same", name)
		}
	}
	if few := entry.Drawn(l, all[:7]); !slices.Equal(few, all[:7]) {
		t.Errorf("of 7 it draws %d", few)
	}
}
