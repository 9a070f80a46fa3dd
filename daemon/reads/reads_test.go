package reads

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// world is a network of three hospitals with one copy of its log.
type world struct {
	*foundingtest.Network
	t   testing.TB
	m   *machine.Machine
	now time.Time
	cut bool // nothing gets into the log
}

func newWorld(t testing.TB, level uint64) *world {
	t.Helper()
	w := &world{Network: foundingtest.New(t, 3), t: t, now: time.UnixMilli(foundingtest.SignedAt + 60_000)}
	var err error
	w.m, err = machine.Open(t.TempDir(), w.Genesis)
	must(t, err)
	t.Cleanup(func() { must(t, w.m.Close()) })
	if level > 1 {
		for i, id := range []string{"h1", "h2", "h3"} {
			w.post(w.Hospitals[i], act.Act{Version: act.Version, Type: act.TypeSupport, Payload: act.Support{Node: id, Level: level}.Marshal()})
		}
		a := act.Act{
			Version: act.Version, Type: act.TypeFeature, RosterVersion: w.m.View().RosterVersion, Expiry: foundingtest.SignedAt + 1e9,
			Payload: act.Feature{Level: level}.Marshal(),
		}
		for _, h := range w.Hospitals[:2] {
			p, err := a.Approve(w.ID, h.Number, h.Envelope)
			must(t, err)
			a.Approvals = append(a.Approvals, p)
		}
		w.post(w.Hospitals[0], a)
	}
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) View() *state.State        { return w.m.View() }
func (w *world) Machine() *machine.Machine { return w.m }

func (w *world) link(m *foundingtest.Member) envelope.Link {
	member, _ := w.m.View().Member(m.Number)
	return envelope.Link{
		Network: w.ID, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: uint64(w.now.UnixMilli()),
	}
}

func (w *world) accept(e *envelope.Envelope) uint64 {
	w.t.Helper()
	out, err := w.m.Apply(e.Marshal(), uint64(w.now.UnixMilli()))
	must(w.t, err)
	if out.Refusal != nil {
		w.t.Fatal(out.Refusal)
	}
	return out.First
}

func (w *world) post(m *foundingtest.Member, a act.Act) uint64 {
	w.t.Helper()
	e, err := envelope.BuildAct(w.link(m), a.Marshal(), m.Envelope)
	must(w.t, err)
	return w.accept(e)
}

// send puts n entries of a hospital into the log, and returns the first index.
func (w *world) send(m *foundingtest.Member, n int) uint64 {
	w.t.Helper()
	set, _ := w.m.View().ReadersFor(m.Number)
	plains := make([]envelope.Plain, n)
	for i := range plains {
		plains[i] = envelope.Plain{Part: seal.Clinical, CBOR: []byte{byte(i)}}
	}
	e, _, err := envelope.BuildEntries(w.link(m), set, plains, m.Envelope, rand.Reader)
	must(w.t, err)
	return w.accept(e)
}

var errCut = errors.New("no leader")

func (w *world) log(m *foundingtest.Member, dir string) *Log {
	return New(Config{
		Dir: dir, Node: w, Institution: m.Number, Sealing: func() []*seal.ReaderPrivate { return keysOf(m) },
		Now: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler),
		Post: func(_ context.Context, a act.Act) error {
			if w.cut {
				return errCut
			}
			w.post(m, a)
			return nil
		},
	})
}

func keysOf(m *foundingtest.Member) []*seal.ReaderPrivate { return []*seal.ReaderPrivate{m.Sealing} }

func (w *world) list(l *Log) []Entry {
	w.t.Helper()
	records, err := l.Records()
	must(w.t, err)
	list, err := List(w, w.Reader.Number, records, keysOf(w.Reader))
	must(w.t, err)
	return list
}

func TestNothingIsShownBeforeTheLogSaysThatItIsRead(t *testing.T) {
	w := newWorld(t, Level)
	l := w.log(w.Reader, t.TempDir())
	q := Question{Account: "li", Purpose: act.PurposeQuality, Query: "report quality"}
	w.cut = true
	if r, err := l.Commit(t.Context(), q); r != nil || !errors.Is(err, errCut) {
		t.Fatalf("with no leader: %v, %v", r, err)
	}
	w.cut = false
	size := w.View().Tree.Size()
	r, err := l.Commit(t.Context(), q)
	must(t, err)
	if got := w.View().Tree.Size(); got != size+1 {
		t.Fatalf("%d acts", got-size)
	}
	r.Saw(act.Span{First: 3, Count: 2}, act.Span{First: 5, Count: 1}, act.Span{First: 4, Count: 1})
	must(t, r.Close())
	list := w.list(l)
	if len(list) != 2 || list[0].Problem != NoAct || list[1].Problem != "" || list[1].Act != size || list[1].Entries != 3 ||
		list[1].Account != "li" || list[1].Query != q.Query || list[1].Purpose != "quality" {
		t.Errorf("the list: %+v", list)
	}
	if at, found, err := ActOf(w, w.Reader.Number, r.Hash()); at != size || !found || err != nil {
		t.Errorf("the act: %d, %v, %v", at, found, err)
	}
}

func TestOneActCoversTheSameQuestionWithinTheHour(t *testing.T) {
	w := newWorld(t, Level)
	l := w.log(w.Reader, t.TempDir())
	q := Question{Account: "li", Purpose: act.PurposeQuality, Query: "report quality"}
	other, alone, whose := q, q, q
	other.Query, alone.Alone, whose.Account = "report silent", true, "wang"
	start := w.View().Tree.Size()
	for i, tc := range []struct {
		q    Question
		acts uint64
		wait time.Duration
	}{{q, 1, 0}, {q, 1, 0}, {other, 2, 0}, {q, 2, 0}, {whose, 3, 0}, {alone, 4, 0}, {alone, 5, 0}, {q, 6, time.Hour}} {
		w.now = w.now.Add(tc.wait)
		_, err := l.Commit(t.Context(), tc.q)
		must(t, err)
		if got := w.View().Tree.Size() - start; got != tc.acts {
			t.Errorf("after question %d: %d acts, want %d", i, got, tc.acts)
		}
	}
}

func TestTwoReadsCannotBeToldApartByOthers(t *testing.T) {
	w := newWorld(t, Level)
	l := w.log(w.Reader, t.TempDir())
	var acts []*envelope.Envelope
	for _, query := range []string{"x", strings.Repeat("a long question about a rare disease ", 90)} {
		for range 2 { // also of the same question
			_, err := l.Commit(t.Context(), Question{Account: query[:1], Purpose: act.PurposeResearch, Query: query, Alone: true})
			must(t, err)
			e, _, err := w.m.Envelope(w.View().Envelopes - 1)
			must(t, err)
			acts = append(acts, e)
		}
	}
	hashes := map[[32]byte]bool{}
	for _, e := range acts {
		a, err := act.Decode(e.Bodies[0].Ciphertext)
		must(t, err)
		d, err := act.DecodeRead(a.Payload)
		must(t, err)
		hashes[d.Hash] = true
		d.Hash = [32]byte{}
		first, _ := act.Decode(acts[0].Bodies[0].Ciphertext)
		want, _ := act.DecodeRead(first.Payload)
		want.Hash = [32]byte{}
		if d != want || len(e.Marshal()) != len(acts[0].Marshal()) {
			t.Errorf("an act says %+v in %d bytes, the first %+v in %d", d, len(e.Marshal()), want, len(acts[0].Marshal()))
		}
	}
	if len(hashes) != len(acts) {
		t.Errorf("%d hashes of %d acts: one question has one hash", len(hashes), len(acts))
	}
}

func TestHospitalsAreToldDailyWhatWasReadOfTheirs(t *testing.T) {
	w := newWorld(t, Level)
	dir := t.TempDir()
	l := w.log(w.Reader, dir)
	must(t, l.Notify(t.Context())) // the first day
	first := w.send(w.Hospitals[0], 5)
	second := w.send(w.Hospitals[1], 4)
	r, err := l.Commit(t.Context(), Question{Account: "li", Purpose: act.PurposeQuality, Query: "entries"})
	must(t, err)
	r.Saw(act.Span{First: first + 1, Count: 2}, act.Span{First: first + 4, Count: 3})
	must(t, r.Close())
	day := today(w.now)
	must(t, l.Notify(t.Context()))
	size := w.View().Tree.Size()
	w.now = w.now.Add(48 * time.Hour)
	l = w.log(w.Reader, dir) // after a restart
	must(t, l.Notify(t.Context()))
	must(t, l.Notify(t.Context()))
	if got := w.View().Tree.Size() - size; got != 2 {
		t.Fatalf("%d acts for two days", got)
	}
	for i, want := range [][]Part{
		{{Purpose: act.PurposeQuality, Entries: 3, Spans: []act.Span{{First: first + 1, Count: 2}, {First: first + 4, Count: 1}}}},
		{{Purpose: act.PurposeQuality, Entries: 2, Spans: []act.Span{{First: second, Count: 2}}}},
		nil,
	} {
		told, err := Notices(w, uint32(i+1), keysOf(w.Hospitals[i]))
		must(t, err)
		if len(told) != 2 || told[1].Day != day || told[1].Problem != "" || len(told[0].Read) != 0 || !slices.EqualFunc(told[1].Read, want, func(a, b Part) bool {
			return a.Purpose == b.Purpose && a.Entries == b.Entries && slices.Equal(a.Spans, b.Spans)
		}) {
			t.Errorf("hospital %d is told %+v, want %+v", i+1, told, want)
		}
		others, err := Notices(w, uint32(i+1), keysOf(w.Hospitals[(i+1)%3]))
		must(t, err)
		for _, o := range others {
			if o.Problem == "" {
				t.Errorf("another hospital opens the notices to %d", i+1)
			}
		}
	}
}

// A report that is still open when the day ends is part of the next day's notices.
func TestWhatIsShownOverMidnightIsToldTheNextDay(t *testing.T) {
	w := newWorld(t, Level)
	l := w.log(w.Reader, t.TempDir())
	must(t, l.Notify(t.Context())) // the first day
	first := w.send(w.Hospitals[0], 5)
	r, err := l.Commit(t.Context(), Question{Account: "li", Purpose: act.PurposeQuality, Query: "all entries"})
	must(t, err)
	w.now = w.now.Add(24 * time.Hour)
	must(t, l.Notify(t.Context()))
	r.Saw(act.Span{First: first, Count: 5})
	must(t, r.Close())
	day := today(w.now)
	w.now = w.now.Add(24 * time.Hour)
	must(t, l.Notify(t.Context()))
	told, err := Notices(w, w.Hospitals[0].Number, keysOf(w.Hospitals[0]))
	must(t, err)
	if len(told) != 2 || told[0].Day != day || len(told[0].Read) != 1 || told[0].Read[0].Entries != 5 || told[0].Read[0].Purpose != act.PurposeQuality || len(told[1].Read) != 0 {
		t.Errorf("the hospital is told %+v", told)
	}
	if list := w.list(l); len(list) != 1 || list[0].Entries != 5 || list[0].Problem != "" {
		t.Errorf("the list says %+v", list)
	}
}

// A line that a crash cut short was never answered, and what comes after it is whole.
func TestALineThatACrashCutShortStopsNothing(t *testing.T) {
	w := newWorld(t, Level)
	dir := t.TempDir()
	l := w.log(w.Reader, dir)
	must(t, l.Notify(t.Context())) // the first day
	asks := func(query string) {
		t.Helper()
		_, err := l.Commit(t.Context(), Question{Account: "li", Purpose: act.PurposeQuality, Query: query})
		must(t, err)
	}
	asks("one")
	path := filepath.Join(dir, strconv.FormatUint(uint64(today(w.now)), 10)+".jsonl")
	whole, err := os.ReadFile(path)
	must(t, err)
	for _, cut := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
		must(t, os.WriteFile(path, append(slices.Clone(whole), whole[:cut]...), 0o600))
		must(t, appendTo(dir, filepath.Base(path), whole))
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, append(slices.Clone(whole), whole...)) {
			t.Fatalf("after %d bytes of a line: %v, %d bytes", cut, err, len(got))
		}
	}
	must(t, os.WriteFile(path, append(slices.Clone(whole), bytes.Repeat([]byte{'x'}, 200<<10)...), 0o600))
	asks("two")
	if list := w.list(l); len(list) != 2 || list[0].Problem != "" || list[1].Problem != "" {
		t.Errorf("the list says %+v", list)
	}
	w.now = w.now.Add(24 * time.Hour)
	must(t, l.Notify(t.Context()))
	must(t, os.WriteFile(filepath.Join(dir, noticed), nil, 0o600))
	if err := l.Notify(t.Context()); err == nil {
		t.Error("the day of the last notices was lost, and nobody is told")
	}
}

func TestNoticesHaveOneSizeAndSayHowManyEntriesWhateverTheyAre(t *testing.T) {
	var parts []Part
	for p := range act.Purposes() {
		part := Part{Purpose: act.Purpose(p + 1)}
		for i := range uint64(500) {
			part.add(act.Span{First: 1<<60 + i*i*3, Count: 2})
		}
		parts = append(parts, part)
	}
	for _, n := range []int{0, 1, 2, len(parts)} {
		plain := encodeNotice(1<<31, 1<<31, 1<<31, slices.Clone(parts[:n]))
		got, err := decodeNotice(plain, 1<<31, 1<<31, 1<<31)
		if err != nil || len(plain) != act.NoticeBytes || len(got) != n {
			t.Fatalf("%d purposes: %d bytes, %v, %v", n, len(plain), got, err)
		}
		for i, p := range got {
			if p.Entries != parts[i].Entries || p.Spans[0].First != parts[i].Spans[0].First || p.Spans[len(p.Spans)-1].End() != parts[i].Spans[499].End() {
				t.Errorf("purpose %d: %+v", i, p)
			}
		}
	}
	plain := encodeNotice(4, 1, 9, nil)
	if _, err := decodeNotice(plain, 4, 2, 9); err == nil {
		t.Error("a notice to another hospital is taken")
	}
}

func TestRecordsAreHeldAgainstTheActs(t *testing.T) {
	w := newWorld(t, Level)
	l := w.log(w.Reader, t.TempDir())
	for _, query := range []string{"one", "two", "three"} {
		_, err := l.Commit(t.Context(), Question{Account: "li", Purpose: act.PurposeAudit, Query: query})
		must(t, err)
	}
	records, err := l.Records()
	must(t, err)
	check := func(name string, records []Sealed, keys []*seal.ReaderPrivate, want ...string) {
		t.Helper()
		list, err := List(w, w.Reader.Number, records, keys)
		must(t, err)
		var got []string
		for _, e := range list {
			if e.Problem != "" {
				got = append(got, e.Problem)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	check("all of them", records, keysOf(w.Reader))
	check("one is held back", records[1:], keysOf(w.Reader), NoRecord)
	swapped := slices.Clone(records)
	swapped[0].Boxes = records[1].Boxes
	check("one is another's", swapped, keysOf(w.Reader), Changed)
	check("with a hospital's key", records, keysOf(w.Hospitals[0]), SealedToOthers, SealedToOthers, SealedToOthers)
}

func TestBelowTheLevelRecordsAreKeptAndNothingIsSaid(t *testing.T) {
	w := newWorld(t, 1)
	l := w.log(w.Reader, t.TempDir())
	size := w.View().Tree.Size()
	_, err := l.Commit(t.Context(), Question{Account: "li", Purpose: act.PurposeCare, Query: "entry 7"})
	must(t, err)
	must(t, l.Notify(t.Context()))
	if list := w.list(l); w.View().Tree.Size() != size || len(list) != 1 || list[0].Problem != NoAct || list[0].Query != "entry 7" {
		t.Errorf("%d acts, %+v", w.View().Tree.Size()-size, list)
	}
	h := w.log(w.Hospitals[0], t.TempDir())
	r, err := h.Commit(t.Context(), Question{Query: "entry 7"})
	r.Saw(act.Span{First: 1, Count: 1})
	if err := errors.Join(err, r.Close()); err != nil {
		t.Error(err)
	}
	if records, err := h.Records(); len(records) != 0 || err != nil {
		t.Errorf("a hospital that reads its own keeps %d records, %v", len(records), err)
	}
	if _, err := l.Commit(t.Context(), Question{Purpose: 77}); !errors.Is(err, ErrPurpose) {
		t.Errorf("for no purpose: %v", err)
	}
}
