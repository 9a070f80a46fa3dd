package withdraw

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

// town is a network of one hospital in memory: what is posted is in the log at
// once, unless lost says that the process dies first.
type town struct {
	t    *testing.T
	path string
	key  *seal.ReaderPrivate

	mu      sync.Mutex
	shelf   shelf
	claim   []act.Span
	changed chan struct{}
	acts    []act.Withdrawal
	at      []time.Time
	forgot  []uint64
	lost    error // what AddEntries says
	refusal error // what PostAct says

	*Desk
	stop  func()
	ended chan error
}

var sealing = sync.OnceValues(seal.GenerateReader)

// inTown runs f in a bubble of its own time with an open desk that runs.
func inTown(t *testing.T, f func(t *testing.T, w *town)) {
	t.Helper()
	key, err := sealing()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, path: filepath.Join(t.TempDir(), "withdrawals"), key: key, changed: make(chan struct{})}
		w.start()
		defer w.halt()
		f(t, w)
	})
}

func (w *town) start() {
	w.t.Helper()
	var err error
	w.Desk, err = Open(Config{
		Hospital: 1, Entries: w, Outbox: w, Log: w, EntryID: [32]byte{1}, Handle: [32]byte{2},
		Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{w.key} }, Path: w.path,
		Schedule: Schedule{Spread: 72 * time.Hour}, Random: source(1), Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.stop, w.ended = cancel, make(chan error, 1)
	go func() { w.ended <- w.Run(ctx) }()
	synctest.Wait()
}

func (w *town) halt() {
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Errorf("Run ended with %v", err)
	}
}

func (w *town) restart() { w.t.Helper(); w.halt(); w.start() }

func (w *town) pass(d time.Duration) { <-time.After(d); synctest.Wait() }

func (w *town) OwnEntries(context.Context) iter.Seq2[reader.Opened, error] {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.shelf).seq()
}

func (w *town) Changes(context.Context) (*reader.Changes, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &reader.Changes{}
	for _, o := range w.shelf {
		c.Add(o)
	}
	return c, nil
}

func (w *town) Entry(index uint64) (reader.Opened, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shelf[index-1], nil
}

func (w *town) AddEntries(_ context.Context, groups [][]outbox.Entry) ([][]outbox.Placed, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != nil {
		return nil, w.lost
	}
	e, err := entry.Decode(groups[0][0].Plain.CBOR)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(w.shelf, func(o reader.Opened) bool { return o.Entry.ID == e.ID }) {
		return [][]outbox.Placed{{{Known: true}}}, nil
	}
	return [][]outbox.Placed{{{Sequence: w.shelf.add(e)}}}, nil
}

func (w *town) PostAct(_ context.Context, a act.Act) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refusal != nil {
		return w.refusal
	}
	d, err := act.DecodeWithdrawal(a.Payload)
	if err != nil || a.Type != act.TypeWithdrawal || d.Hospital != 1 {
		w.t.Errorf("posted %+v, %v", d, err)
	}
	w.acts, w.at, w.claim = append(w.acts, d), append(w.at, time.Now()), append(slices.Clone(w.claim), d.Entries...)
	close(w.changed)
	w.changed = make(chan struct{})
	return nil
}

// fails makes AddEntries and PostAct say so from now on.
func (w *town) fails(lost, refusal error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost, w.refusal = lost, refusal
}

func (w *town) Ready(context.Context) error   { return nil }
func (w *town) Drained(context.Context) error { return nil }

func (w *town) Forget(indexes []uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgot = append(w.forgot, indexes...)
	return nil
}

func (w *town) View() *state.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return &state.State{Claims: []state.Claim{{Hospital: 1, Entries: w.claim}}}
}

func (w *town) Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if v := w.View(); cond(v) {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
}

func (w *town) ask(a Action, letter byte) Ask {
	return Ask{Action: a, Pseudonym: name(letter), Scope: entry.ScopeAll, By: entry.BySelf}
}

func (w *town) decide(a Ask) Answer {
	w.t.Helper()
	got, err := w.Decide(w.t.Context(), a)
	if err != nil {
		w.t.Fatalf("%s: %v", a.Action, err)
	}
	return got
}

// wantCode checks why nothing may be posted of a person.
func (w *town) wantCode(letter byte, want string) {
	w.t.Helper()
	w.wantCodeFor(letter, entry.ScopeRegistry, want)
}

// wantCodeFor checks why nothing may be posted of a person for some uses.
func (w *town) wantCodeFor(letter byte, uses entry.Scope, want string) {
	w.t.Helper()
	stopped, release, err := w.Hold(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	defer release()
	if got := stopped(name(letter), uses); got != want {
		w.t.Errorf("%c: %q, want %q", letter, got, want)
	}
}

func (w *town) wantError(a Ask, want error) {
	w.t.Helper()
	if _, err := w.Decide(w.t.Context(), a); !errors.Is(err, want) {
		w.t.Errorf("%s: %v, want %v", a.Action, err, want)
	}
}

func TestAPatientStopsAndResumes(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.shelf.caseOf('a')
		w.shelf.alias(entry.Link, "ab")
		w.wantError(w.ask(Stop, 'x'), ErrNothing)
		dry := w.ask(Stop, 'a')
		dry.DryRun = true
		if got := w.decide(dry); len(got.Indexes) != 2 || len(got.Cases) != 2 || len(w.shelf) != 2 {
			t.Errorf("asked only: %+v, %d entries", got, len(w.shelf))
		}
		partly := w.ask(Stop, 'a')
		partly.Scope = entry.ScopeContact | entry.ScopeBiobank
		w.decide(partly)
		w.wantCode('a', "")
		w.wantCodeFor('a', entry.Entry{Facts: entry.Facts{Specimen: &entry.Specimen{}}}.Uses(), CodeStopped)
		w.wantCodeFor('a', entry.Entry{Facts: entry.Facts{Treatment: &entry.Treatment{}}}.Uses(), "")
		got := w.decide(w.ask(Stop, 'b'))
		if got.Consent.Status != entry.Stopped || len(got.Consent.Marks) != 2 || !slices.Equal(got.Consent.Indexes, []uint64{1, 2}) {
			t.Errorf("stopped: %+v", got.Consent)
		}
		w.wantCode('a', CodeStopped)
		w.wantCode('b', CodeStopped)
		w.wantCode('c', "")
		if !w.decide(w.ask(Stop, 'a')).Known {
			t.Error("stopping again is new")
		}
		w.restart()
		w.wantCode('a', CodeStopped)
		w.decide(w.ask(Resume, 'a'))
		w.wantCode('b', "")
		if !w.decide(w.ask(Resume, 'a')).Known {
			t.Error("resuming again is new")
		}
		w.decide(w.ask(Stop, 'a')) // once more: another entry id
		w.wantCode('a', CodeStopped)
	})
}

func TestErasuresOfAWindowArePostedInOneAct(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for _, l := range []byte("aba") {
			w.shelf.caseOf(l)
		}
		start := time.Now()
		first := w.decide(w.ask(Erase, 'b'))
		w.pass(time.Minute)
		second := w.decide(w.ask(Erase, 'a'))
		if first.Latest != second.Latest || first.Latest.After(start.Add(72*time.Hour)) {
			t.Errorf("posted by %s and %s", first.Latest, second.Latest)
		}
		w.wantCode('a', CodeErased)
		w.wantError(w.ask(Resume, 'a'), ErrErasing)
		for range 3 { // restarts draw nothing anew
			w.restart()
		}
		w.pass(72 * time.Hour)
		if len(w.acts) != 1 || !slices.Equal(w.acts[0].Entries, []act.Span{{First: 1, Count: 3}}) {
			t.Fatalf("acts %+v, want one of entries 1 to 3", w.acts)
		}
		if w.at[0].Before(start.Add(time.Minute)) || !slices.Equal(w.forgot, []uint64{1, 2, 3}) {
			t.Errorf("posted at %s, forgot %v", w.at[0], w.forgot)
		}
		w.wantError(w.ask(Cancel, 'a'), ErrPosted)
		w.wantError(w.ask(Resume, 'a'), ErrErased)
		if !w.decide(w.ask(Erase, 'a')).Known {
			t.Error("erasing again is new")
		}
		w.wantCode('a', CodeErased)
		again := w.ask(Resume, 'a')
		again.Again = true
		w.decide(again)
		w.wantCode('a', "")
		list, err := w.List(t.Context())
		problem := w.Problem()
		if err != nil || problem != "" || len(list) != 2 || !list[0].Erased || list[0].Cases[0] != first.Cases[0] || list[1].Status != entry.InUse {
			t.Errorf("list %+v, %q, %v", list, problem, err)
		}
	})
}

func TestAnErasureIsCancelledOrHastened(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.shelf.caseOf('a')
		w.wantError(w.ask(Cancel, 'x'), ErrNothing)
		w.wantError(w.ask(Cancel, 'a'), ErrNotErasing)
		w.decide(w.ask(Erase, 'a'))
		got := w.decide(w.ask(Cancel, 'a'))
		if got.Consent.Status != entry.Stopped {
			t.Errorf("cancelled: %+v", got.Consent)
		}
		w.pass(100 * time.Hour)
		if len(w.acts) != 0 {
			t.Fatalf("a cancelled erasure is posted: %+v", w.acts)
		}
		w.wantError(w.ask(Cancel, 'a'), ErrNotErasing)
		w.decide(w.ask(Erase, 'a'))
		now := w.ask(Erase, 'a')
		now.Now = true
		if got := w.decide(now); !got.Known {
			t.Errorf("hastened: %+v", got)
		}
		synctest.Wait()
		if len(w.acts) != 1 || !w.at[0].Equal(time.Now()) {
			t.Errorf("acts %+v at %v, want one now", w.acts, w.at)
		}
	})
}

func TestADecisionOutlivesItsProcessAndItsFile(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.shelf.caseOf('a')
		w.shelf.caseOf('b')
		dies := errors.New("the process dies")
		w.fails(dies, nil)
		w.wantError(w.ask(Erase, 'a'), dies)
		w.wantCode('a', CodeErased) // it was on disk before
		w.fails(nil, nil)
		w.restart()
		if last := w.shelf[len(w.shelf)-1].Entry; last.Consent == nil {
			t.Error("the consent is not posted after the restart")
		}
		w.halt()
		w.path = filepath.Join(t.TempDir(), "another") // the file is lost
		w.start()
		w.wantCode('a', CodeErased)
		list, err := w.List(t.Context())
		if err != nil || len(list) != 1 || list[0].Latest.IsZero() || len(list[0].Cases) != 1 {
			t.Errorf("after the loss: %+v, %v", list, err)
		}
		w.fails(nil, &state.Refusal{Code: state.CodeActPayload})
		w.pass(72 * time.Hour)
		if w.Problem() == "" {
			t.Error("nobody is told that the act is refused")
		}
		w.fails(nil, nil)
		w.pass(retry)
		if len(w.acts) != 1 || !slices.Equal(w.acts[0].Entries, []act.Span{{First: 1, Count: 1}}) {
			t.Errorf("acts %+v", w.acts)
		}
		w.halt()
		w.path = filepath.Join(t.TempDir(), "a third")
		w.start()
		w.wantCode('a', CodeErased)
		w.wantCode('b', "")
		w.pass(100 * time.Hour)
		if len(w.acts) != 1 {
			t.Errorf("it is posted again: %+v", w.acts)
		}
	})
}

func TestNothingIsPostedWhileADecisionIsTaken(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.shelf.caseOf('a')
		_, release, err := w.Hold(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if w.posting.TryLock() {
			t.Error("a decision could be taken while entries are posted")
		}
		release()
		unlock, err := w.quiet(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if w.posting.TryRLock() {
			t.Error("entries could be posted while a decision is taken")
		}
		unlock()
	})
}

func TestTheFileOfDecisionsNamesNobody(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		w.shelf.caseOf('a')
		w.decide(w.ask(Erase, 'a'))
		all, err := w.file.load()
		if err != nil || len(all) != 1 || all[0].due.IsZero() {
			t.Fatalf("%+v, %v", all, err)
		}
		raw, err := marshalDecisions(all)
		if err != nil {
			t.Fatal(err)
		}
		p := name('a')
		if slices.ContainsFunc(all[0].consent.Consent.Marks, func(m [32]byte) bool { return m == p }) || len(raw) == 0 {
			t.Error("the file holds a pseudonym")
		}
		other, err := seal.GenerateReader()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (file{w.path, func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{other} }}).load(); !errors.Is(err, errUnread) {
			t.Errorf("another key opens it: %v", err)
		}
	})
}

func FuzzADecisionsFileThatIsReadIsWrittenAlike(f *testing.F) {
	c := entry.Consent{Status: entry.Erasing, Scope: entry.ScopeAll, By: entry.BySelf, Marks: [][32]byte{{1}}, Indexes: []uint64{7}}
	e := entry.Entry{Type: entry.TypeConsent, Profile: entry.Report, EventDate: entry.Date{Year: 2026, Month: 11, Day: 27}, Source: entry.SourceForm, Consent: &c}
	raw, err := marshalDecisions([]decision{{consent: e, cases: []string{"0000"}, due: time.UnixMilli(5)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte{0x82, 0x01, 0x80})
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := unmarshalDecisions(raw)
		if err != nil {
			return
		}
		again, err := marshalDecisions(all)
		if err != nil || !slices.Equal(again, raw) {
			t.Errorf("%x became %x, %v", raw, again, err)
		}
	})
}
