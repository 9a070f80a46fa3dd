package reader

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// send posts one entry of an institution, sealed to another one as well.
func (w *world) send(from, to *member, e entry.Entry) (index, number uint64) {
	w.t.Helper()
	raw, err := entry.Encode(e)
	must(w.t, err)
	return w.accept(w.build(from, []envelope.Plain{{Part: seal.Clinical, CBOR: raw}}, func(set *envelope.ReaderSet) {
		set.Addressee = &envelope.Reader{Key: to.sealing.Public(), Rights: seal.Rights{Clinical: true}}
	}))
}

// referral is a patient's way to an institution of the test's network.
func referral(to string) entry.Entry {
	return entry.Entry{
		Type: entry.TypeReferral, Profile: entry.Report, ID: [32]byte{7}, EventDate: entry.Date{Year: 2026, Month: 11, Day: 20},
		Pseudonym: entry.Pseudonym{Present: true, Value: [32]byte{9}}, Strength: entry.StrengthStrong,
		Source: entry.SourcePhenopacket, Basis: entry.BasisStatutory,
		Facts: entry.Facts{Referral: &entry.Referral{To: to, Reason: entry.ReferralTreatment}},
	}
}

func TestALetterIsReadByWhomItIsMeantFor(t *testing.T) {
	w := newWorld(t)
	toB, _ := w.send(w.a, w.b, referral("entity-2"))
	toC, _ := w.send(w.a, w.c, referral("ENTITY-3"))
	w.send(w.a, w.b, referral("entity-3")) // sealed to another than it says
	stray := referral("entity-2")
	stray.Type, stray.Facts = entry.TypeDeath, entry.Facts{Death: &entry.Death{}}
	w.send(w.a, w.b, stray) // sealed to somebody it is not meant for
	for name, tc := range map[string]struct {
		m    *member
		want []string
	}{
		"whom it is for":        {w.b, []string{"1:referral"}},
		"the other one":         {w.c, []string{"1:referral"}},
		"another's province":    {w.prov31, nil},
		"who sent them":         {w.a, []string{"1:death", "1:referral", "1:referral", "1:referral"}},
		"the national reader's": {w.clinical, []string{"1:death", "1:referral", "1:referral", "1:referral"}},
	} {
		if got := w.list(tc.m, 0, 0); !slices.Equal(got, tc.want) {
			t.Errorf("%s: opened %v, want %v", name, got, tc.want)
		}
	}
	b, c := w.reader(w.b, "", nil), w.reader(w.c, "", nil)
	if o, err := b.Entry(toB); err != nil || o.Hospital != 1 || o.Entry.Referral == nil {
		t.Errorf("whom it is for: %+v, %v", o, err)
	}
	for index, r := range map[uint64]*Reader{toB: c, toC: b} {
		if _, err := r.Entry(index); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("entry %d of another: %v", index, err)
		}
	}
	if own, err := b.Own(t.Context()); err != nil || len(own.Pseudonyms()) != 0 {
		t.Errorf("a letter counts as the hospital's own: %v", err)
	}
	w.correctionIsRead(b, toB)
}

// correctionIsRead has the sender of a letter correct it.
func (w *world) correctionIsRead(r *Reader, index uint64) {
	w.t.Helper()
	first, err := r.Entry(index)
	must(w.t, err)
	right := first.Entry
	right.Facts = right.Under([32]byte{})
	right.Referral.Reason = entry.ReferralDrug
	correction, err := entry.Correct([32]byte{1}, index, first.Entry, right, entry.Mistyped, [32]byte{})
	must(w.t, err)
	w.send(w.a, w.b, correction)
	changes, err := r.Changes(w.t.Context())
	must(w.t, err)
	if got := changes.Correct(first); got.Referral.Reason != entry.ReferralDrug {
		w.t.Errorf("the letter reads %s", got.Referral.Reason)
	}
}

func TestEveryEnvelopesSlotsAreTriedOnce(t *testing.T) {
	w := newWorld(t)
	w.post(w.a, plaintexts(t)[:1])
	_, letter := w.send(w.a, w.b, referral("entity-2"))
	w.post(w.b, plaintexts(t)[:1])
	_, last := w.post(w.c, plaintexts(t)[:1])
	dir := t.TempDir()
	w.watch(w.b, dir, nil)
	path := filepath.Join(dir, "letters")
	for again := range 2 {
		r := w.reader(w.b, dir, nil)
		for n := uint64(1); n <= last; n++ {
			tried, is, err := r.tried(n)
			if err != nil || is != (n == letter) || !tried && n <= letter {
				t.Errorf("after %d starts: envelope %d: tried %t, a letter %t, %v", again+1, n, tried, is, err)
			}
		}
		if got := w.list(w.b, 0, 0); !slices.Contains(got, "1:referral") {
			t.Errorf("the letter is not read: %v", got)
		}
		w.watch(w.b, dir, nil)
	}
	raw, err := os.ReadFile(path)
	must(t, err)
	kept, err := ledger.ReadFileDurable(path)
	must(t, err)
	for name, spoil := range map[string]func() error{
		"of another log epoch": func() error {
			return ledger.WriteFileDurable(path, append(binary.BigEndian.AppendUint64(nil, 2), kept[8:]...))
		},
		"cut short":    func() error { return os.WriteFile(path, raw[:9], 0o600) },
		"of no length": func() error { return ledger.WriteFileDurable(path, kept[:9]) },
	} {
		must(t, spoil())
		if tried, _, err := w.reader(w.b, dir, nil).tried(1); tried || err != nil {
			t.Errorf("a file %s counts, or stops the node: %v", name, err)
		}
	}
	w.watch(w.b, dir, nil)
	if _, is, err := w.reader(w.b, dir, nil).tried(letter); !is {
		t.Errorf("the letter is not found again: %v", err)
	}
}

func TestOnlyReadersAskOthersAndOnlyHospitalsSayTheRest(t *testing.T) {
	w := newWorld(t)
	target := w.say(w.a, referral("entity-2"))
	ask := entry.Entry{
		Type: entry.TypeQuery, Profile: entry.Report, ID: [32]byte{8}, EventDate: entry.Date{Year: 2026, Month: 11, Day: 21},
		Source: entry.SourceForm, Basis: entry.BasisStatutory,
		Query: &entry.Query{Action: entry.Ask, Target: target, Hospital: 1, Rule: "DT003", Text: entry.QuerySource},
	}
	w.send(w.clinical, w.a, ask)
	w.send(w.b, w.a, ask)                         // a hospital asks
	w.send(w.clinical, w.a, referral("entity-1")) // a reader registers
	itself, closes := ask, ask
	itself.ID, closes.ID = [32]byte{9}, [32]byte{10}
	closes.Query = &entry.Query{Action: entry.Close, Target: target, Hospital: 1, Rule: "DT003", Text: entry.QuerySource}
	w.say(w.a, itself) // a hospital asks itself
	w.say(w.a, closes)
	for name, tc := range map[string]struct {
		m    *member
		want []string
	}{
		"the hospital that is asked": {w.a, []string{"1:SEAL002", "1:query", "1:referral", "5:query"}},
		"another hospital":           {w.c, nil},
		"who asked":                  {w.clinical, []string{"1:SEAL002", "1:query", "1:referral", "2:SEAL002", "5:SEAL002", "5:query"}},
		"another national reader":    {w.genetic, []string{"1:SEAL002", "1:query", "1:referral", "2:SEAL002", "5:SEAL002", "5:query"}},
	} {
		if got := w.list(tc.m, 0, 0); !slices.Equal(got, tc.want) {
			t.Errorf("%s: opened %v, want %v", name, got, tc.want)
		}
	}
	changes, err := w.reader(w.a, "", nil).Changes(t.Context())
	must(t, err)
	if q := changes.Queries(); len(q) != 2 || q[0].Hospital != w.clinical.number || q[1].Hospital != w.a.number {
		t.Errorf("queries: %+v", q)
	}
}
