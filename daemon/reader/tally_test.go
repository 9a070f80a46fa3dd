package reader

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// account builds a log of entries by hand: pseudonyms are single letters.
type account struct {
	next uint64
	all  []Opened
}

func name(letter byte) [32]byte { return [32]byte{letter} }

func (a *account) add(hospital uint32, e entry.Entry) Opened {
	a.next++
	o := Opened{Index: a.next, Hospital: hospital, Entry: e}
	a.all = append(a.all, o)
	return o
}

func (a *account) cases(hospital uint32, letters string) *account {
	for _, l := range []byte(letters) {
		a.about(hospital, l, entry.Case{})
	}
	return a
}

func (a *account) about(hospital uint32, letter byte, c entry.Case) *account {
	a.add(hospital, entry.Entry{Type: entry.TypeCase, Facts: entry.Facts{Case: &c}, Pseudonym: entry.Pseudonym{Present: true, Value: name(letter)}})
	return a
}

func (a *account) alias(hospital uint32, action entry.AliasAction, pair string) *account {
	a.add(hospital, entry.Entry{Type: entry.TypeAlias, Alias: &entry.Alias{
		Action: action, Reason: entry.ReasonOther, Old: name(pair[0]), New: name(pair[1]), OldType: 5, NewType: 5,
	}, Pseudonym: entry.Pseudonym{Present: true, Value: name(pair[0])}})
	return a
}

func (a *account) links(hospital uint32, pairs ...string) *account {
	for _, p := range pairs {
		a.alias(hospital, entry.Link, p)
	}
	return a
}

func (a *account) unlink(hospital uint32, pair string) *account {
	return a.alias(hospital, entry.Unlink, pair)
}

func (a *account) tally() *Tally {
	t := &Tally{}
	for _, o := range a.all {
		t.Add(o)
	}
	return t
}

// verdicts are the links as "pair: refusal and flags".
func verdicts(p Persons, a *account) (out []string) {
	for _, l := range p.Links {
		e := a.all[l.Index-1].Entry.Alias
		said := []string{fmt.Sprintf("%d:%c%c", l.Hospital, e.Old[0], e.New[0])}
		if l.Refused != "" {
			said = append(said, l.Refused)
		}
		out = append(out, strings.Join(append(said, l.Flags...), " "))
	}
	return out
}

func TestPersonsAreCountedFollowingLinks(t *testing.T) {
	for what, tc := range map[string]struct {
		log      *account
		persons  int
		twice    int // of them at two hospitals
		undone   int
		verdicts []string
	}{
		"without links every pseudonym is a person": {new(account).cases(1, "ab").cases(2, "b"), 2, 1, 0, nil},
		"a newborn at one hospital and the ID at another": {
			new(account).cases(1, "a").cases(2, "b").links(1, "ab"), 1, 1, 0, []string{"1:ab"},
		},
		"which of the two comes first does not matter": {
			new(account).cases(1, "a").cases(2, "b").links(1, "ba"), 1, 1, 0, []string{"1:ba"},
		},
		"a link before the entry it rests on": {new(account).links(1, "ab").cases(1, "a").cases(2, "b"), 1, 1, 0, []string{"1:ab"}},
		"a link to a pseudonym that nobody used": {
			new(account).cases(1, "a").links(1, "ab"), 1, 0, 0, []string{"1:ab"},
		},
		"a stranger's link is not honoured": {
			new(account).cases(1, "a").cases(2, "b").cases(3, "c").links(3, "ab"), 3, 0, 0, []string{"3:ab AL001"},
		},
		"nor is one that rests on an alias only": {
			new(account).cases(1, "a").cases(2, "b").cases(3, "c").links(3, "ca", "ab"), 2, 1, 0, []string{"3:ca", "3:ab AL001"},
		},
		"a chain": {new(account).cases(1, "abcd").links(1, "ab", "bc", "cd"), 1, 0, 0, []string{"1:ab", "1:bc", "1:cd"}},
		"undone by its hospital": {
			new(account).cases(1, "a").cases(2, "b").links(1, "ab").unlink(1, "ab"), 2, 0, 1, nil,
		},
		"undone the other way round": {new(account).cases(1, "ab").links(1, "ab").unlink(1, "ba"), 2, 0, 1, nil},
		"another hospital's undoing is nothing to it": {
			new(account).cases(1, "a").cases(2, "b").links(1, "ab").unlink(2, "ab"), 1, 1, 0, []string{"1:ab"},
		},
		"two hospitals link, one undoes": {
			new(account).cases(1, "a").cases(2, "b").links(1, "ab").links(2, "ab").unlink(1, "ab"), 1, 1, 1, []string{"2:ab"},
		},
		"undone, then linked":             {new(account).cases(1, "ab").unlink(1, "ab").links(1, "ab"), 1, 0, 0, []string{"1:ab"}},
		"linked, undone and linked again": {new(account).cases(1, "ab").links(1, "ab").unlink(1, "ab").links(1, "ab"), 1, 0, 1, []string{"1:ab"}},
		"linked twice counts once":        {new(account).cases(1, "ab").links(1, "ab", "ab"), 1, 0, 0, []string{"1:ab"}},
		"six pseudonyms are one person, a seventh is refused": {
			new(account).cases(1, "abcdefg").links(1, "ab", "bc", "cd", "de", "ef", "fg"), 2, 0, 0,
			[]string{"1:ab", "1:bc", "1:cd", "1:de", "1:ef", "1:fg AL003"},
		},
		"two persons of four stay two": {
			new(account).cases(1, "abcdefgh").links(1, "ab", "bc", "cd", "ef", "fg", "gh", "ae"), 2, 0, 0,
			[]string{"1:ab", "1:bc", "1:cd", "1:ef", "1:fg", "1:gh", "1:ae AL003"},
		},
		"room that an undoing made is used": {
			new(account).cases(1, "abcdefg").links(1, "ab", "bc", "cd", "de", "ef", "fg").unlink(1, "ab"), 2, 0, 1,
			[]string{"1:bc", "1:cd", "1:de", "1:ef", "1:fg"},
		},
	} {
		t.Run(what, func(t *testing.T) {
			got := tc.log.tally().Count()
			if got.Persons != tc.persons || got.TwoHospitals != tc.twice || got.Undone != tc.undone {
				t.Errorf("%d persons, %d at two hospitals, %d undone; want %d, %d, %d",
					got.Persons, got.TwoHospitals, got.Undone, tc.persons, tc.twice, tc.undone)
			}
			if v := verdicts(got, tc.log); !slices.Equal(v, tc.verdicts) {
				t.Errorf("links %v, want %v", v, tc.verdicts)
			}
		})
	}
}

func TestLinksThatJoinWhatDoesNotAgreeAreFlagged(t *testing.T) {
	born := func(sex entry.Sex, date string) entry.Case {
		d, ok := entry.ParseDate(date)
		if !ok {
			t.Fatal(date)
		}
		return entry.Case{Sex: sex, Birth: d}
	}
	for what, tc := range map[string]struct {
		log  *account
		want []string
	}{
		"they agree": {
			new(account).about(1, 'a', born(entry.SexMale, "2020-02")).about(2, 'b', born(entry.SexMale, "2020-02")).links(1, "ab"),
			[]string{"1:ab"},
		},
		"another sex": {
			new(account).about(1, 'a', born(entry.SexMale, "")).about(2, 'b', born(entry.SexFemale, "")).links(1, "ab"),
			[]string{"1:ab AL005"},
		},
		"a sex that is not known disagrees with nothing": {
			new(account).about(1, 'a', born(entry.SexUnknown, "")).about(2, 'b', born(entry.SexFemale, "")).links(1, "ab"),
			[]string{"1:ab"},
		},
		"another month": {
			new(account).about(1, 'a', born(0, "2020-02")).about(2, 'b', born(0, "2020-03")).links(1, "ab"),
			[]string{"1:ab AL006"},
		},
		"a year alone disagrees with nothing": {
			new(account).about(1, 'a', born(0, "2019")).about(2, 'b', born(0, "2020-03")).links(1, "ab"),
			[]string{"1:ab"},
		},
		"seen through a pseudonym that says nothing": {
			new(account).about(1, 'a', born(entry.SexMale, "2020-02")).cases(1, "b").about(2, 'c', born(entry.SexFemale, "2021-02")).links(1, "ab", "bc"),
			[]string{"1:ab", "1:bc AL005 AL006"},
		},
		"one of two months agrees, one does not": {
			new(account).about(1, 'a', born(0, "2020-02")).about(1, 'a', born(0, "2020-05")).about(2, 'b', born(0, "2020-02")).links(1, "ab"),
			[]string{"1:ab AL006"},
		},
	} {
		if got := verdicts(tc.log.tally().Count(), tc.log); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", what, got, tc.want)
		}
	}
}

// Newborn wants a certificate first; the other reasons' types are the table of
// registry/validate.
func TestLinksWhoseReasonDoesNotFitTheirDocumentsAreFlagged(t *testing.T) {
	const certificate, number = 6, 1 // BC, RIC
	a := new(account).cases(1, "abc")
	for _, l := range []struct {
		pair     string
		old, new entry.DocumentType
	}{{"ab", certificate, number}, {"bc", number, certificate}, {"ac", number, number}} { // the last joins nobody who is not joined
		a.add(1, entry.Entry{Type: entry.TypeAlias, Alias: &entry.Alias{
			Action: entry.Link, Reason: entry.ReasonNewborn, Old: name(l.pair[0]), New: name(l.pair[1]), OldType: l.old, NewType: l.new,
		}, Pseudonym: entry.Pseudonym{Present: true, Value: name(l.pair[0])}})
	}
	got := a.tally().Count()
	if v, want := verdicts(got, a), []string{"1:ab", "1:bc AL007", "1:ac AL007"}; !slices.Equal(v, want) || got.Persons != 1 {
		t.Errorf("links %v of %d persons, want %v of one", v, got.Persons, want)
	}
}

// partition says who is whom, however it was found out.
func partition(t *Tally, letters string) map[byte]byte {
	out := map[byte]byte{}
	for _, l := range []byte(letters) {
		least := l
		for _, p := range t.Same(name(l)) {
			least = min(least, p[0])
		}
		out[l] = least
	}
	return out
}

// Over small random networks: the order in which entries are added never
// matters, and the order of the links in the log does not matter as long as
// nobody has too many identities.
func TestTheSameLinksGiveTheSamePersonsInAnyOrder(t *testing.T) {
	const letters, rounds = "abcdefghijkl", 300
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	joined, refused := 0, 0
	for range rounds {
		log := new(account)
		for range 10 {
			log.about(1+r.Uint32N(3), letters[r.IntN(len(letters))], entry.Case{Sex: entry.Sex(r.IntN(3))})
		}
		groups := len(log.all)
		for range r.IntN(8) {
			a, b := r.IntN(len(letters)), r.IntN(len(letters)-1)
			if b >= a {
				b++
			}
			log.links(1+r.Uint32N(3), string([]byte{letters[a], letters[b]}))
		}
		want := log.tally().Count()
		added := &Tally{}
		for _, i := range r.Perm(len(log.all)) {
			added.Add(log.all[i])
		}
		if got := added.Count(); !reflect.DeepEqual(got, want) {
			t.Fatalf("added in another order: %+v, want %+v", got, want)
		}
		capped := slices.ContainsFunc(want.Links, func(l Link) bool { return l.Refused == tooMany })
		if capped {
			refused++
			continue
		}
		people := partition(log.tally(), letters)
		moved := &account{next: log.next, all: slices.Clone(log.all)}
		links := moved.all[groups:]
		r.Shuffle(len(links), func(i, j int) { links[i], links[j] = links[j], links[i] })
		for i := range links {
			links[i].Index = uint64(groups + i + 1)
		}
		got := moved.tally().Count()
		if got.Persons != want.Persons || got.TwoHospitals != want.TwoHospitals || !reflect.DeepEqual(partition(moved.tally(), letters), people) {
			t.Fatalf("linked in another order: %+v, want %+v", got, want)
		}
		if want.Persons < len(log.tally().all()) {
			joined++
		}
	}
	if joined < rounds/10 {
		t.Errorf("only %d of %d networks joined anybody (%d refused a link)", joined, rounds, refused)
	}
}

func TestATallySaysWhatItCannotCount(t *testing.T) {
	log := new(account).cases(1, "a")
	log.add(1, entry.Entry{Type: entry.TypeCase, Facts: entry.Facts{Case: &entry.Case{}}})
	log.add(1, entry.Entry{Type: entry.TypeFollowUp, Facts: entry.Facts{FollowUp: &entry.FollowUp{}}, Pseudonym: entry.Pseudonym{Present: true, Value: name('z')}})
	log.all = append(log.all, Opened{Index: 9, Hospital: 2, Problem: "SEAL001"})
	got := log.tally().Count()
	if got.Cases != 2 || got.Nameless != 1 || got.Unopened != 1 || got.Persons != 1 {
		t.Errorf("got %+v", got)
	}
	if entries, cases := log.tally().At(1, name('z')); entries != 1 || cases != 0 {
		t.Errorf("under z: %d entries, %d cases; want a follow-up alone", entries, cases)
	}
	if entries, _ := log.tally().At(2, name('z')); entries != 0 {
		t.Errorf("another hospital has %d entries under z", entries)
	}
}

func TestTheLastAliasOfAPairIsFoundWhateverItsDirection(t *testing.T) {
	log := new(account).links(1, "ab").links(2, "ab").unlink(1, "ba").links(1, "ac")
	got, ok := log.tally().LastAlias(1, entry.Alias{Old: name('a'), New: name('b')}.Pair())
	if !ok || got.Index != 3 || got.Entry.Alias.Action != entry.Unlink {
		t.Errorf("got index %d, %v", got.Index, ok)
	}
	if _, ok := log.tally().LastAlias(1, entry.Alias{Old: name('b'), New: name('c')}.Pair()); ok {
		t.Error("an alias that nobody sent is found")
	}
}

// From sealed envelopes: the coordinator joins what the hospital linked; the
// hospital sees its own half, and a reader of another province none of it.
func TestTheCoordinatorFollowsASealedLink(t *testing.T) {
	w := newWorld(t)
	log := new(account).cases(1, "a").cases(2, "b").links(1, "ab")
	for i, o := range log.all {
		e := o.Entry
		e.Profile, e.Source, e.ID = entry.Report, entry.SourceForm, [32]byte{byte(i)}
		plain, err := entry.Encode(e)
		must(t, err)
		w.post([]*member{nil, w.a, w.b}[o.Hospital], []envelope.Plain{{Part: seal.Clinical, CBOR: plain}})
	}
	for who, tc := range map[string]struct {
		m                    *member
		persons, cases, link int
	}{
		"the coordinator":   {w.clinical, 1, 2, 1},
		"hospital a":        {w.a, 1, 1, 1},
		"hospital b":        {w.b, 1, 1, 0},
		"hospital c":        {w.c, 0, 0, 0},
		"province 31's own": {w.prov31, 1, 1, 0},
	} {
		got, err := w.reader(tc.m, "", nil).Persons(t.Context())
		must(t, err)
		if got.Persons != tc.persons || got.Cases != tc.cases || len(got.Links) != tc.link || got.Unopened != 0 {
			t.Errorf("%s: %+v", who, got)
		}
	}
	own, err := w.reader(w.clinical, "", nil).Own(t.Context())
	must(t, err)
	if len(own.Pseudonyms()) != 0 {
		t.Error("the coordinator has entries of its own")
	}
}
