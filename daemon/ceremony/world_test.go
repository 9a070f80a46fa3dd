package ceremony

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// world is a network whose log is one state machine: what is posted is admitted
// and accepted at once. Every hospital has a driver.
type world struct {
	t       *testing.T
	founded *foundingtest.Network
	view    *state.State
	clock   time.Time
	nodes   []*node
	posted  []act.Act                   // in the log
	bend    func(n *node, a *act.Act)   // changes what a node is about to post
	after   func(n *node, typ act.Type) // what happens once an act is in the log
	logged  strings.Builder
}

// node is a hospital: its driver, and what a restart leaves of it.
type node struct {
	w       *world
	m       *foundingtest.Member
	driver  *Driver
	shares  home.Shares
	runtime string
	silent  bool // it does nothing
}

func newWorld(t *testing.T, hospitals int) *world {
	t.Helper()
	n := foundingtest.NewKeyless(t, hospitals)
	view, _, err := state.Found(n.Genesis)
	must(t, err)
	w := &world{t: t, founded: n, view: view, clock: time.UnixMilli(foundingtest.SignedAt)}
	for _, m := range n.Hospitals {
		w.nodes = append(w.nodes, &node{w: w, m: m})
	}
	for _, n := range w.nodes {
		n.start()
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start gives a node a new driver, as a restart of its process does.
func (n *node) start() {
	n.w.t.Helper()
	d, err := New(Config{
		Self: n.m.Node, Institution: n.m.Number, Log: n, Poster: n, Cosigners: n.w, Shares: n, Evaluator: n.w,
		Runtime: n.runtime, Now: func() time.Time { return n.w.clock }, Logger: slog.New(slog.NewTextHandler(&n.w.logged, nil)),
	})
	must(n.w.t, err)
	n.driver = d
}

// Log.
func (n *node) View() *state.State                { return n.w.view.Clone() }
func (n *node) Status() consensus.Status          { return consensus.Status{Ready: true} }
func (n *node) Shares() home.Shares               { return n.shares }
func (n *node) Save(s home.Shares) error          { n.shares = s; return nil }
func (n *node) Checkpoint() tlog.SignedCheckpoint { return n.w.checkpoint(len(n.w.nodes)/2 + 1) }
func (n *node) HandleCosign(ctx context.Context, p consensus.Proposal) ([]tlog.NoteSignature, error) {
	return n.w.Cosign(ctx, n.m.Node, p)
}

// checkpoint is the newest, with so many cosignatures.
func (w *world) checkpoint(cosigners int) tlog.SignedCheckpoint {
	w.t.Helper()
	c := tlog.Checkpoint{Origin: w.view.Origin(), Size: w.view.Tree.Size(), Root: w.view.Tree.Root()}
	leader, err := tlog.NewLogSigner(c.Origin, w.founded.Hospitals[0].Log.Ed25519())
	must(w.t, err)
	sig, err := leader.Sign(c)
	must(w.t, err)
	sc := tlog.SignedCheckpoint{Checkpoint: c, Signatures: []tlog.NoteSignature{sig}}
	for _, m := range w.founded.Hospitals[:cosigners] {
		sigs, err := w.Cosign(w.t.Context(), m.Node, consensus.Proposal{Checkpoint: c})
		must(w.t, err)
		sc.Signatures = append(sc.Signatures, sigs...)
	}
	return sc
}

func (w *world) Cosign(_ context.Context, id string, p consensus.Proposal) ([]tlog.NoteSignature, error) {
	for _, n := range w.nodes {
		if n.m.Node != id {
			continue
		}
		if n.silent {
			return nil, errors.New("down")
		}
		c, err := tlog.NewCosigner(w.view.CosignerName(id), n.m.Cosign.Ed25519(), n.m.Cosign.MLDSA44())
		must(w.t, err)
		return c.Cosign(p.Checkpoint, foundingtest.SignedAt/1000)
	}
	return nil, fmt.Errorf("no node %s", id)
}

// PostAct admits an act as the state machine does, and accepts it.
func (n *node) PostAct(_ context.Context, a act.Act) error {
	w := n.w
	if w.bend != nil {
		w.bend(n, &a)
	}
	m, _ := w.view.Member(n.m.Number)
	e, err := envelope.BuildAct(envelope.Link{
		Network: w.view.Network, Hospital: n.m.Number, Sequence: m.Chain.Sequence + 1, Attempt: 1, Previous: m.Chain.ID,
		SignedAt: uint64(w.clock.UnixMilli()),
	}, a.Marshal(), n.m.Envelope)
	must(w.t, err)
	logTime, refusal := w.view.Admit(e, uint64(w.clock.UnixMilli()), e.Commitments())
	if refusal != nil {
		return refusal
	}
	w.view.Accept(e, logTime, e.Commitments())
	w.posted = append(w.posted, a)
	if w.after != nil {
		w.after(n, a.Type)
	}
	return nil
}

// Pseudonyms evaluates with the shares that the nodes hold.
func (w *world) Pseudonyms(_ context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error) {
	inputs := make([][]byte, len(identities))
	for i, x := range identities {
		inputs[i] = w.view.Identity.Input(w.view.Identity.Stretch(x))
	}
	blinding, elements, err := pseudonym.Blind(inputs)
	must(w.t, err)
	var parts []pseudonym.Part
	for _, n := range w.nodes {
		share := n.shares.Current
		if share == nil || keyshare.CheckShare(w.view.OPRF, *share) != nil || len(parts) == int(w.view.OPRF.Threshold) {
			continue
		}
		req := pseudonym.Request{
			Network: w.view.Network, KeyID: w.view.OPRF.KeyID, Epoch: w.view.OPRF.Epoch, Holder: share.Holder, Hospital: 1,
			N: uint16(len(elements)), ElementsHash: pseudonym.HashElements(elements),
		}
		evaluated, proof, err := pseudonym.Evaluate(*share, req, elements)
		must(w.t, err)
		part, err := pseudonym.VerifyEvaluation(w.view.OPRF, req, elements, evaluated, proof)
		must(w.t, err)
		parts = append(parts, part)
	}
	return blinding.Finalize(w.view.OPRF, parts)
}

// turns lets every node take steps until none has anything to do, or nothing
// more happens. It returns the last problem that a node met.
func (w *world) turns() (problem error) {
	w.t.Helper()
	for range 400 {
		before, busy := len(w.posted), false
		for _, n := range slices.Clone(w.nodes) {
			if n.silent {
				continue
			}
			more, err := n.driver.step(w.t.Context())
			busy = busy || more
			if err != nil {
				problem = fmt.Errorf("%s: %w", n.m.Node, err)
			}
		}
		if !busy || len(w.posted) == before && w.clock.Sub(time.UnixMilli(foundingtest.SignedAt)) > 24*time.Hour {
			return problem
		}
		if len(w.posted) == before {
			w.clock = w.clock.Add(turnWait)
		}
		if c := w.view.Ceremony; c != nil && c.Ended != state.Open && w.view.OPRF.Epoch != c.Epoch {
			return problem
		}
	}
	w.t.Fatalf("no end; the last problem was %v", problem)
	return nil
}

// makeKey runs the founders' ceremony to its end.
func (w *world) makeKey() {
	w.t.Helper()
	must(w.t, w.nodes[0].driver.Start(w.t.Context(), time.Hour))
	if err := w.turns(); err != nil {
		w.t.Error(err)
	}
	if w.view.OPRF.Epoch != 1 || w.view.Canary.Epoch != 1 {
		w.t.Fatalf("epoch %d, canary of epoch %d, ceremony %v", w.view.OPRF.Epoch, w.view.Canary.Epoch, w.view.Ceremony.Ended)
	}
}

// reshare opens a ceremony of the given holders, approved by all leads.
func (w *world) reshare(threshold uint16, holders ...uint32) {
	w.t.Helper()
	a := act.Act{
		Version: act.Version, Type: act.TypeCeremony, RosterVersion: w.view.RosterVersion, Expiry: uint64(w.clock.Add(time.Hour).UnixMilli()),
		Payload: (&act.Ceremony{
			Epoch: w.view.OPRF.Epoch + 1, Threshold: threshold, Holders: holders, Deadline: uint64(w.clock.Add(24 * time.Hour).UnixMilli()),
		}).Marshal(),
	}
	for _, n := range w.nodes {
		p, err := a.Approve(w.view.Network, n.m.Number, n.m.Envelope)
		must(w.t, err)
		a.Approvals = append(a.Approvals, p)
	}
	must(w.t, w.nodes[0].PostAct(w.t.Context(), a))
}

// contribute has old holders' operators contribute.
func (w *world) contribute(numbers ...int) {
	w.t.Helper()
	for _, n := range numbers {
		must(w.t, w.nodes[n-1].driver.Contribute(w.t.Context()))
	}
}

// volatile returns a directory of a file system in memory.
func volatile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "rr")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if !isVolatile(dir) {
		t.Fatalf("%s is not on a tmpfs", dir)
	}
	return dir
}
