package staticcopy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// voter is a peer that answers a mirror from the world's ledger, as honest ones do.
type voter struct {
	w     *world
	view  *state.State
	note  []byte
	gave  atomic.Int64 // whole envelopes
	salts func([][]byte) [][]byte

	impatient bool   // the mirror waits 50 ms for a file
	rate      uint64 // at which the mirror may fetch, in bytes per second; 0: any
}

func (v *voter) Submit(context.Context, string, []byte) (out consensus.Outcome, err error) {
	return out, consensus.ErrNoLeader
}

func (v *voter) Cosign(context.Context, string, consensus.Proposal) ([]tlog.NoteSignature, error) {
	return nil, consensus.ErrNotYet
}

func (v *voter) Announce(context.Context, string, []byte) error { return nil }

func (v *voter) Checkpoint(ctx context.Context, _ string, size uint64) ([]byte, error) {
	if size >= v.view.Tree.Size() {
		<-ctx.Done()
	}
	return v.note, nil
}

func (v *voter) Envelopes(_ context.Context, _ string, from uint64) (out []consensus.Pulled, err error) {
	for ; from < v.view.Envelopes; from++ {
		p, err := consensus.ReadEnvelope(v.w.m.Ledger(), v.view, from)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
		v.gave.Add(1)
	}
	return out, nil
}

func (v *voter) Salts(_ context.Context, _ string, from uint64) (out [][]byte, err error) {
	for ; from < v.view.Envelopes; from++ {
		_, bodies, err := v.w.m.Ledger().WholeEnvelope(from)
		if err != nil {
			return nil, err
		}
		var salts []byte
		for _, b := range bodies {
			salts = append(salts, b.Salt[:]...)
		}
		out = append(out, salts)
	}
	if v.salts != nil {
		out = v.salts(out)
	}
	return out, nil
}

func (v *voter) Lengths(_ context.Context, _ string, envelopes uint64) (ledger.Lengths, error) {
	return v.w.m.Ledger().LengthsAt(envelopes)
}

// mirror is the network's mirror, which pulls from the voter and a copy.
func (w *world) mirror(v *voter, address string) *consensus.Node {
	w.t.Helper()
	v.w, v.view, v.note = w, w.m.View(), w.note(2)
	source, err := Open(address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if v.impatient {
		source.wait = 50 * time.Millisecond
	}
	w.t.Cleanup(source.Close)
	n := w.open(v, source, w.t.TempDir())
	w.t.Cleanup(func() { w.close(n) })
	w.whole(v, n)
	return n
}

func (w *world) open(v *voter, source *Source, dir string) *consensus.Node {
	w.t.Helper()
	n, err := consensus.Open(consensus.Config{
		Self: "reader", Dir: dir, Genesis: w.net.Genesis, Peers: v, Copies: []consensus.StaticCopy{source}, Rates: consensus.Rates{FetchBytes: v.rate},
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(now) },
		Fatal: func(err error) { w.t.Error(err) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) close(n *consensus.Node) {
	w.t.Helper()
	if err := n.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
}

// whole waits until a mirror has all that the voter has.
func (w *world) whole(v *voter, n *consensus.Node) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	view, err := n.Wait(ctx, func(s *state.State) bool { return s.Tree.Size() == v.view.Tree.Size() })
	if err != nil {
		w.t.Fatalf("the mirror stands at %d entries: %v", n.View().Tree.Size(), err)
	}
	if view.Tree.Root() != v.view.Tree.Root() {
		w.t.Error("the mirror has another root")
	}
}

// sameBodies compares every byte that a mirror has of bodies and salts.
func (w *world) sameBodies(n *consensus.Node) {
	w.t.Helper()
	for index := range w.m.View().Tree.Size() {
		got, err := n.Machine().Ledger().Body(index)
		want, err2 := w.m.Ledger().Body(index)
		if err = errors.Join(err, err2); err != nil {
			w.t.Fatal(err)
		}
		if got.Salt != want.Salt || got.Tag != want.Tag || !bytes.Equal(got.Ciphertext, want.Ciphertext) {
			w.t.Errorf("entry %d differs", index)
		}
	}
}

func TestAMirrorTakesFromACopyAndOnlyNewsFromAPeer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5, 20, 3)
	dir := t.TempDir()
	w.export(dir, w.options(true))
	w.withdraw(w.net.Hospitals[0], act.Span{First: 2, Count: 2}) // after the copy was made, which has them
	w.erase(ledger.Span{First: 2, Count: 2})
	w.add(4)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for name, address := range map[string]string{"a web server": server.URL, "a folder": "file://" + dir} {
		v := &voter{}
		n := w.mirror(v, address)
		if got := v.gave.Load(); got != 2 {
			t.Errorf("%s: the peer gave %d envelopes, want the 2 that came after the copy", name, got)
		}
		if s := n.Status(); len(s.Warnings) > 0 {
			t.Errorf("%s: %v", name, s.Warnings)
		}
		w.sameBodies(n)
	}
}

func TestACopyThatIsNoUseIsNamedAndTheMirrorIsWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5, 20)
	old := t.TempDir()
	w.export(old, w.options(true))
	w.add(3, 2)
	good, bare := t.TempDir(), t.TempDir()
	w.export(good, w.options(true))
	w.export(bare, w.options(false))
	for name, tc := range map[string]struct {
		dir   string
		bend  func(dir string, path string) (string, bool) // what is served instead
		serve http.HandlerFunc
		salts func([][]byte) [][]byte
		hangs bool
		says  string // in the warning
	}{
		"a flipped byte in a body":       {dir: good, bend: flipped("bodies/001", 700), says: "its bodies and the salts of a peer make no entry"},
		"a flipped byte in a header":     {dir: good, bend: flipped("envelope/002", 90), says: "envelope 2: "},
		"a flipped byte in a signature":  {dir: good, bend: flipped("envelope/001", -400), says: "follow envelope 1"},
		"another log time":               {dir: good, bend: flipped("envelope/004", 9), says: "its envelopes do not lead to its checkpoint"},
		"a body cut short":               {dir: good, bend: cut("bodies/001"), says: "bodies/001: malformed"},
		"an envelope cut short":          {dir: good, bend: cut("envelope/001"), says: "envelope/001: malformed"},
		"an envelope that is not there":  {dir: good, bend: gone("envelope/001"), says: "envelope/001: is not there"},
		"bodies that are not there":      {dir: good, bend: gone("bodies/003"), says: "bodies/003: is not there"},
		"another envelope in its place":  {dir: good, bend: instead("envelope/002", "envelope/001"), says: "bodies/002: malformed"},
		"a flipped byte in a checkpoint": {dir: good, bend: flipped("checkpoint", 30), says: "checkpoint"},
		"a checkpoint of one voter": {dir: good, says: "no majority of the voters at its size", bend: func(_, path string) (string, bool) {
			return string(w.note(1)), path == "/checkpoint"
		}},
		"no bodies at all":     {dir: bare, says: "it holds no bodies"},
		"what is no copy":      {dir: t.TempDir(), says: "copy.json: is not there"},
		"an answer that lasts": {serve: endless, says: "is larger than it can be"},
		"an answer cut off":    {serve: truncated, says: "unexpected EOF"},
		"no answer":            {serve: hangs, hangs: true, says: "context deadline exceeded"},
		"an answer that stops": {serve: stops, hangs: true, says: "context deadline exceeded"},
		"a way elsewhere":      {serve: elsewhere, says: "302"},
		"salts that are none": {dir: good, says: "its bodies and the salts of a peer make no entry", salts: func(s [][]byte) [][]byte {
			s[1][0] ^= 1
			return s
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, net: w.net, m: w.m, notes: w.notes}
			handler := tc.serve
			if handler == nil {
				handler = serveBent(tc.dir, tc.bend)
			}
			server := httptest.NewServer(handler)
			defer server.Close()
			n := w.mirror(&voter{salts: tc.salts, impatient: tc.hangs}, server.URL)
			w.sameBodies(n)
			s := n.Status()
			if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0].EN, tc.says) || !strings.Contains(s.Warnings[0].EN, server.URL) {
				t.Errorf("warnings %q, want one of %s that says %q", s.Warnings, server.URL, tc.says)
			}
		})
	}
	t.Run("an old checkpoint", func(t *testing.T) {
		w := &world{t: t, net: w.net, m: w.m, notes: w.notes}
		v := &voter{}
		n := w.mirror(v, "file://"+old) // helps as far as it goes
		if s := n.Status(); len(s.Warnings) > 0 || v.gave.Load() != 2 {
			t.Errorf("the peer gave %d envelopes, %v", v.gave.Load(), s.Warnings)
		}
	})
}

func TestAMirrorThatWasStoppedGoesOnInTheCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, make3(150)...)
	dir := t.TempDir()
	w.export(dir, w.options(true))
	var again atomic.Bool
	stuck := make(chan struct{})
	first := sync.OnceFunc(func() { close(stuck) })
	asked := make(chan string, 1000)
	honest := http.FileServer(http.Dir(dir))
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if again.Load() {
			asked <- r.URL.Path
		} else if r.URL.Path == "/envelope/100" {
			first()
			<-r.Context().Done()
			return
		}
		honest.ServeHTTP(out, r)
	}))
	defer server.Close()
	v := &voter{w: w, view: w.m.View(), note: w.note(2)}
	source, err := Open(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	mirrored := t.TempDir()
	n := w.open(v, source, mirrored)
	<-stuck
	w.close(n)
	again.Store(true)
	n = w.open(v, source, mirrored)
	defer w.close(n)
	w.whole(v, n)
	w.sameBodies(n)
	close(asked)
	for path := range asked {
		if path >= "/envelope/000" && path < "/envelope/065" {
			t.Fatalf("after the restart the mirror asked for %s again", path)
		}
	}
	if v.gave.Load() != 0 {
		t.Errorf("the peer gave %d envelopes", v.gave.Load())
	}
}

// TestNobodyLiesAboutHowLongAnErasedBodyWas has a copy that gives another length for
// what nobody has any more.
func TestNobodyLiesAboutHowLongAnErasedBodyWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 2)
	w.withdraw(w.net.Hospitals[0], act.Span{First: 2, Count: 1})
	w.erase(ledger.Span{First: 2, Count: 1})
	dir := t.TempDir()
	w.export(dir, w.options(true))
	path := filepath.Join(dir, "envelope", "001")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := parseBare(raw)
	if err != nil {
		t.Fatal(err)
	}
	bodies := slices.Clone(bare.Envelope.Bodies)
	bodies[1].Ciphertext = make([]byte, len(bodies[1].Ciphertext)+512) // the next size class
	forged, err := envelope.Assemble(bare.Envelope.HeaderBytes, bare.Envelope.Signature, bodies)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, marshalBare(forged, bare.LogTime), 0o600); err != nil {
		t.Fatal(err)
	}
	v := &voter{}
	n := w.mirror(v, "file://"+dir)
	w.sameBodies(n)
	s := n.Status()
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0].EN, "have other lengths than elsewhere") || v.gave.Load() != int64(v.view.Envelopes-1) {
		t.Errorf("warnings %q; the peer gave %d envelopes", s.Warnings, v.gave.Load())
	}
}

// make3 is so many envelopes of 3 entries.
func make3(n int) []int {
	counts := make([]int, n)
	for i := range counts {
		counts[i] = 3
	}
	return counts
}
