package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

var errLink = errors.New("no answer")

// testLog is a network in memory: one state machine that every envelope really
// passes through, behind a line that a test can bend.
type testLog struct {
	*machine.Machine
	founded *state.State
	began   time.Time

	mu     sync.Mutex
	behind time.Duration // of the leader's clock
	sent   []*envelope.Envelope
	line   func(e *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error)
	note   func(ctx context.Context) error // before a checkpoint is given
	down   bool
	full   error // what Room says
	bent   func(*state.State) *state.State
}

func (l *testLog) now() time.Time {
	return time.UnixMilli(foundingtest.SignedAt).Add(time.Since(l.began))
}

func (l *testLog) Submit(ctx context.Context, raw []byte) (consensus.Outcome, error) {
	e, err := envelope.Decode(raw)
	if err != nil {
		return consensus.Outcome{}, err
	}
	l.mu.Lock()
	l.sent = append(l.sent, e)
	line, behind := l.line, l.behind
	l.mu.Unlock()
	deliver := func() (consensus.Outcome, error) {
		return l.Apply(raw, uint64(l.now().Add(-behind).UnixMilli()))
	}
	if ctx.Err() != nil {
		return consensus.Outcome{}, ctx.Err()
	}
	if line != nil {
		return line(e, deliver)
	}
	return deliver()
}

func (l *testLog) View() *state.State {
	if l.bent != nil {
		return l.bent(l.Machine.View())
	}
	return l.Machine.View()
}

func (l *testLog) Room() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full
}

func (l *testLog) Status() consensus.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return consensus.Status{Ready: !l.down}
}

func (l *testLog) WaitCheckpoint(ctx context.Context, size uint64) (tlog.SignedCheckpoint, error) {
	l.mu.Lock()
	note := l.note
	l.mu.Unlock()
	if note != nil {
		if err := note(ctx); err != nil {
			return tlog.SignedCheckpoint{}, err
		}
	}
	view, err := l.Wait(ctx, func(s *state.State) bool { return s.Tree.Size() >= size })
	if err != nil {
		return tlog.SignedCheckpoint{}, err
	}
	return tlog.SignedCheckpoint{Checkpoint: tlog.Checkpoint{
		Origin: consensus.Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root(),
	}}, nil
}

// world is one hospital with its outbox and the network.
type world struct {
	t      *testing.T
	member *foundingtest.Member
	log    *testLog
	dir    string
	logged bytes.Buffer
	former []*seal.ReaderPrivate // sealing keys from before
	meant  func(*state.State, []byte) uint32

	*Outbox
	stop  func()
	ended chan error
}

var founded = sync.OnceValue(func() *foundingtest.Network { return foundingtest.New(&testing.T{}, 3) })

// inWorld runs f in a bubble of its own time with an open outbox of a
// hospital, which is not running yet.
func inWorld(t *testing.T, hospital int, f func(t *testing.T, w *world)) {
	t.Helper()
	founded()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, hospital)
		defer func() {
			w.crash()
			if err := w.log.Close(); err != nil {
				t.Error(err)
			}
		}()
		f(t, w)
	})
}

func newWorld(t *testing.T, hospital int) *world {
	t.Helper()
	m, err := machine.Open(t.TempDir(), founded().Genesis)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, member: founded().Hospitals[hospital-1], dir: filepath.Join(t.TempDir(), "outbox"),
		log: &testLog{Machine: m, founded: m.View(), began: time.Now()},
	}
	w.open()
	return w
}

func (w *world) config() Config {
	return Config{
		Dir: w.dir, Hospital: w.member.Number, Log: w.log,
		Key:     func(*state.State) *sign.PrivateKey { return w.member.Envelope },
		Sealing: func() []*seal.ReaderPrivate { return append([]*seal.ReaderPrivate{w.member.Sealing}, w.former...) },
		Copy:    w.log.Machine, EntryID: func(cbor []byte) ([32]byte, error) { return plain(string(cbor)).ID, nil },
		Addressee: w.meant, Logger: slog.New(slog.NewTextHandler(&w.logged, nil)), Now: w.log.now,
	}
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.Outbox, err = Open(w.config()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	w.ended, w.stop = make(chan error, 1), cancel
	o := w.Outbox
	go func() { w.ended <- o.Run(ctx) }()
}

// crash stops the outbox where it is; what it did is on disk already.
func (w *world) crash() {
	w.t.Helper()
	if w.stop != nil {
		w.stop()
		if err := <-w.ended; err != nil {
			w.t.Errorf("Run ended with %v", err)
		}
		w.stop = nil
	}
	if w.Outbox != nil {
		if err := w.Close(); err != nil {
			w.t.Error(err)
		}
		w.Outbox = nil
	}
}

// restart opens the outbox as it lies in dir and runs it.
func (w *world) restart(dir string) {
	w.t.Helper()
	w.crash()
	w.dir = dir
	w.open()
	w.run()
}

// copied returns a copy of the outbox as it is on disk now.
func (w *world) copied() string {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "outbox")
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		w.t.Error(err)
	}
	return dir
}

// plain is an entry of a test: its text says which.
func plain(text string) Entry {
	e := Entry{Plain: envelope.Plain{Part: seal.Clinical, CBOR: []byte(text)}}
	copy(e.ID[:], text)
	return e
}

func plains(prefix string, n int) []Entry {
	out := make([]Entry, n)
	for i := range out {
		out[i] = plain(fmt.Sprintf("%s-%04d", prefix, i))
		if i%3 == 2 {
			out[i].Plain.Part = seal.Genetic
		}
	}
	return out
}

func (w *world) add(groups ...[]Entry) [][]Placed {
	w.t.Helper()
	placed, err := w.AddEntries(w.t.Context(), groups)
	if err != nil {
		w.t.Fatal(err)
	}
	return placed
}

func (w *world) receipt(sequence uint64) Receipt {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Hour)
	defer cancel()
	r, err := w.WaitReceipt(ctx, sequence)
	if err != nil {
		w.t.Fatalf("receipt of sequence %d: %v", sequence, err)
	}
	return r
}

// pass lets time go by, which in a bubble takes none.
func (w *world) pass(d time.Duration) { <-time.After(d) }

// drain waits until every envelope is under a receipt.
func (w *world) drain() {
	w.t.Helper()
	for range 1000 {
		if n, _ := w.Pending(); n == 0 {
			return
		}
		w.pass(time.Second)
	}
	n, alarm := w.Pending()
	w.t.Fatalf("%d envelopes are left, alarm %q", n, alarm)
}

// accepted returns the hospital's envelopes of the log, without the genesis.
func (w *world) accepted() []*envelope.Envelope {
	w.t.Helper()
	var out []*envelope.Envelope
	for n := uint64(1); n < w.log.Machine.View().Envelopes; n++ {
		p, err := consensus.ReadEnvelope(w.log.Ledger(), w.log.View(), n)
		if err != nil {
			w.t.Fatal(err)
		}
		e, err := envelope.Decode(p.Envelope)
		if err != nil {
			w.t.Fatal(err)
		}
		if e.Hospital == w.member.Number {
			out = append(out, e)
		}
	}
	return out
}

func (w *world) texts(e *envelope.Envelope) []string {
	w.t.Helper()
	opened, err := e.Open(w.member.Sealing, seal.Rights{Clinical: true, Genetic: true})
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, b := range opened {
		if b.Err != nil {
			w.t.Fatal(b.Err)
		}
		out = append(out, string(b.CBOR))
	}
	return out
}

// wantInLog checks that the log holds exactly these entries, each once.
func (w *world) wantInLog(groups ...[]Entry) {
	w.t.Helper()
	var got, want []string
	for _, e := range w.accepted() {
		if e.Kind == envelope.KindEntries {
			got = append(got, w.texts(e)...)
		}
	}
	for _, g := range groups {
		for _, e := range g {
			want = append(want, string(e.Plain.CBOR))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("the log holds %d entries %.300q\nwant %d %.300q", len(got), got, len(want), want)
	}
}

// wantOneEnvelopePerAttempt checks promise 3 over everything ever sent.
func (w *world) wantOneEnvelopePerAttempt() {
	w.t.Helper()
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	type attempt struct {
		sequence uint64
		attempt  uint32
	}
	ids := map[attempt]envelope.ID{}
	for _, e := range w.log.sent {
		key := attempt{e.Sequence, e.Attempt}
		if id, ok := ids[key]; ok && id != e.ID() {
			w.t.Errorf("sequence %d attempt %d was sent as %s and as %s", e.Sequence, e.Attempt, id, e.ID())
		}
		ids[key] = e.ID()
	}
}

// wantIndexes checks that each entry's receipt leads to its own plaintext.
func (w *world) wantIndexes(entries []Entry, placed []Placed) {
	w.t.Helper()
	for i, p := range placed {
		r := w.receipt(p.Sequence)
		index, ok := r.Index(entries[i].ID)
		if !ok {
			w.t.Errorf("%s is not in the receipt of sequence %d", entries[i].Plain.CBOR, p.Sequence)
			continue
		}
		at, err := consensus.ReadEnvelope(w.log.Ledger(), w.log.View(), r.Number)
		if err != nil {
			w.t.Fatal(err)
		}
		e, err := envelope.Decode(at.Envelope)
		if err != nil {
			w.t.Fatal(err)
		}
		if got := w.texts(e)[index-r.First]; got != string(entries[i].Plain.CBOR) {
			w.t.Errorf("index %d holds %q, want %q", index, got, entries[i].Plain.CBOR)
		}
	}
}

func (l *testLog) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}
