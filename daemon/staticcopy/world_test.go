package staticcopy

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const now = foundingtest.SignedAt + 60_000

// founded is one network for all tests: its keys take time to make.
var founded = sync.OnceValue(func() func(testing.TB) *foundingtest.Network {
	var n *foundingtest.Network
	return func(t testing.TB) *foundingtest.Network {
		if n == nil {
			n = foundingtest.New(t, 3)
		}
		return n
	}
})

// world is a node's copy of a log, to be copied.
type world struct {
	t   *testing.T
	net *foundingtest.Network
	m   *machine.Machine
	at  string // folder of the machine

	notes map[string][]byte // that were signed, since each signature is another
}

// newWorld makes a log of the genesis and one envelope for each count of entries, by
// the hospitals in turn.
func newWorld(t *testing.T, counts ...int) *world {
	t.Helper()
	w := &world{t: t, net: founded()(t), at: t.TempDir(), notes: map[string][]byte{}}
	var err error
	if w.m, err = machine.Open(w.at, w.net.Genesis); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.m.Close(); err != nil {
			t.Error(err)
		}
	})
	w.add(counts...)
	return w
}

func (w *world) add(counts ...int) {
	w.t.Helper()
	for i, n := range counts {
		w.apply(w.entries(w.net.Hospitals[i%3], n))
	}
}

func (w *world) apply(raw []byte) {
	w.t.Helper()
	out, err := w.m.Apply(raw, now)
	if err != nil || out.Refusal != nil {
		w.t.Fatalf("apply: %v %v", err, out.Refusal)
	}
}

func (w *world) link(m *foundingtest.Member) envelope.Link {
	member, _ := w.m.View().Member(m.Number)
	return envelope.Link{
		Network: w.net.ID, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: now,
	}
}

func (w *world) entries(m *foundingtest.Member, n int) []byte {
	w.t.Helper()
	set, _ := w.m.View().ReadersFor(m.Number)
	plain := make([]envelope.Plain, n)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: []byte{byte(i)}}
	}
	e, _, err := envelope.BuildEntries(w.link(m), set, plain, m.Envelope, rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.Marshal()
}

// withdraw withdraws entries of a hospital; their bodies stay in the ledger until
// erase.
func (w *world) withdraw(m *foundingtest.Member, spans ...act.Span) {
	w.t.Helper()
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: m.Number, Entries: spans}.Marshal()}
	e, err := envelope.BuildAct(w.link(m), a.Marshal(), m.Envelope)
	if err != nil {
		w.t.Fatal(err)
	}
	w.apply(e.Marshal())
}

func (w *world) erase(spans ...ledger.Span) {
	w.t.Helper()
	if _, err := w.m.Ledger().Sync(); err != nil {
		w.t.Fatal(err)
	}
	if err := w.m.Ledger().Erase(spans...); err != nil {
		w.t.Fatal(err)
	}
}

// note is a checkpoint of the whole log, cosigned by some of the voters.
func (w *world) note(voters int) []byte {
	w.t.Helper()
	view := w.m.View()
	cp := tlog.Checkpoint{Origin: consensus.Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root()}
	key := fmt.Sprint(voters, cp)
	if w.notes[key] == nil {
		w.notes[key] = w.noteOf(cp, voters)
	}
	return w.notes[key]
}

func (w *world) noteOf(cp tlog.Checkpoint, voters int) []byte {
	w.t.Helper()
	log, err := tlog.NewLogSigner(cp.Origin, w.net.Hospitals[0].Log.Ed25519())
	if err != nil {
		w.t.Fatal(err)
	}
	line, err := log.Sign(cp)
	if err != nil {
		w.t.Fatal(err)
	}
	sc := tlog.SignedCheckpoint{Checkpoint: cp, Signatures: []tlog.NoteSignature{line}}
	for _, h := range w.net.Hospitals[:voters] {
		cosigner, err := tlog.NewCosigner(consensus.CosignerName(w.m.View(), h.Node), h.Cosign.Ed25519(), h.Cosign.MLDSA44())
		if err != nil {
			w.t.Fatal(err)
		}
		lines, err := cosigner.Cosign(cp, now/1000)
		if err != nil {
			w.t.Fatal(err)
		}
		sc.Signatures = append(sc.Signatures, lines...)
	}
	return sc.Marshal()
}

func (w *world) options(bodies bool) Options {
	return Options{
		Ledger: w.m.Ledger(), Note: w.note(2), Network: w.net.ID, Name: "test.example/network", Bodies: bodies,
		Claims: func(context.Context) ([]state.Claim, error) { return w.m.View().Claims, nil },
	}
}

func (w *world) export(dir string, o Options) *Report {
	w.t.Helper()
	r, err := Write(w.t.Context(), dir, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// files returns what is in a folder, by path.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir+"/")] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
