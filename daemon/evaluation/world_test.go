package evaluation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("node is down")

// checkpointTime is when the newest checkpoint was cosigned, in seconds.
const checkpointTime = foundingtest.SignedAt/1000 + 3600

// testNode is a node that has applied the genesis and knows a checkpoint.
type testNode struct {
	view       *state.State
	policy     *tlog.Policy
	checkpoint tlog.SignedCheckpoint
}

func (n *testNode) View() *state.State                  { return n.view }
func (n *testNode) Policy(uint64) (*tlog.Policy, error) { return n.policy, nil }
func (n *testNode) Checkpoint() tlog.SignedCheckpoint   { return n.checkpoint }

// world is a network whose holders answer each other in memory.
type world struct {
	t        testing.TB
	dir      string
	founded  *foundingtest.Network
	node     *testNode
	services map[string]*Service
	logged   lockedBuffer

	mu    sync.Mutex
	asked []string
	acts  []act.Act
	bend  map[string]func(ctx context.Context, e, honest peer.Evaluation) (peer.Evaluation, error)
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

var five = sync.OnceValue(func() *foundingtest.Network { return foundingtest.New(&testing.T{}, 5) })

func newWorld(t testing.TB, n *foundingtest.Network) *world {
	t.Helper()
	view, _, err := state.Found(n.Genesis)
	must(t, err)
	policy, err := consensus.PolicyOf(view)
	must(t, err)
	w := &world{
		t: t, founded: n, node: &testNode{view: view, policy: policy}, services: map[string]*Service{},
		bend: map[string]func(context.Context, peer.Evaluation, peer.Evaluation) (peer.Evaluation, error){},
	}
	w.node.checkpoint = w.cosigned(checkpointTime)
	for _, m := range append(n.Hospitals[:len(n.Hospitals):len(n.Hospitals)], n.Reader) {
		c := Config{
			Node: w.node, Hospital: m.Number, Request: m.Request, Response: m.Response, Asker: line{w, m.Node},
			Logger: slog.New(slog.NewTextHandler(&w.logged, nil)),
		}
		c.Share = func(epoch uint32) *keyshare.Share {
			if m == n.Reader || epoch != m.Share.Epoch {
				return nil
			}
			return &m.Share
		}
		c.Poster = w
		if m != n.Reader {
			c.Count = w.book(m.Node)
		}
		asked, err := quota.OpenAsked(filepath.Join(t.TempDir(), "asked"))
		must(t, err)
		c.Asked = asked
		w.services[m.Node] = New(c)
		t.Cleanup(w.services[m.Node].Close)
	}
	return w
}

// book opens a holder's count, or opens it again after a restart.
func (w *world) book(node string) *quota.Book {
	w.t.Helper()
	if w.dir == "" {
		w.dir = w.t.TempDir()
	}
	b, err := quota.Open(quota.Config{Dir: filepath.Join(w.dir, node), Now: time.Now})
	must(w.t, err)
	w.t.Cleanup(func() { _ = b.Close() })
	return b
}

// AddAct takes acts as an outbox does.
func (w *world) AddAct(_ context.Context, a act.Act) (uint64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acts = append(w.acts, a)
	return uint64(len(w.acts)), nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cosigned returns a valid checkpoint, of a time in seconds, of the log as the
// genesis left it.
func (w *world) cosigned(at uint64) tlog.SignedCheckpoint {
	w.t.Helper()
	view := w.node.view
	c := tlog.Checkpoint{Origin: consensus.Origin(view), Size: view.Tree.Size(), Root: view.Tree.Root()}
	leader, err := tlog.NewLogSigner(c.Origin, w.founded.Hospitals[0].Log.Ed25519())
	must(w.t, err)
	sig, err := leader.Sign(c)
	must(w.t, err)
	sc := tlog.SignedCheckpoint{Checkpoint: c, Signatures: []tlog.NoteSignature{sig}}
	for _, m := range w.founded.Hospitals {
		cosigner, err := tlog.NewCosigner(consensus.CosignerName(view, m.Node), m.Cosign.Ed25519(), m.Cosign.MLDSA44())
		must(w.t, err)
		sigs, err := cosigner.Cosign(c, at)
		must(w.t, err)
		sc.Signatures = append(sc.Signatures, sigs...)
	}
	return sc
}

// line carries one node's requests.
type line struct {
	w    *world
	from string
}

// whoWasAsked lists the nodes asked so far; a holder that lied is asked again in
// the background.
func (w *world) whoWasAsked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

func (l line) Evaluate(ctx context.Context, node string, e peer.Evaluation) (peer.Evaluation, error) {
	l.w.mu.Lock()
	l.w.asked = append(l.w.asked, node)
	bend := l.w.bend[node]
	l.w.mu.Unlock()
	honest, err := l.w.services[node].Evaluate(l.from, e)
	if err != nil {
		return honest, err
	}
	if bend != nil {
		return bend(ctx, e, honest)
	}
	return honest, ctx.Err()
}

func down(context.Context, peer.Evaluation, peer.Evaluation) (peer.Evaluation, error) {
	return peer.Evaluation{}, errDown
}

func hangs(ctx context.Context, _, _ peer.Evaluation) (peer.Evaluation, error) {
	<-ctx.Done()
	return peer.Evaluation{}, ctx.Err()
}

func identities(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "raresync/id/v1\x00RIC\x00\x00person-%d", i)
	}
	return out
}
