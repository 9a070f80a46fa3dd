package consensus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

// part is what a node knows of the parts that it and others take.
type part struct {
	kept    context.Context // ends when this node is to take another
	end     context.CancelFunc
	changed atomic.Bool // likewise, and the caller of Open was told so
	after   uint64      // envelopes of which a copy tells what part this node takes now

	mu  sync.Mutex
	out map[string]bool // voters taken out for this leader's time, see [Node.Demote]; guarded by mu
}

func (p *part) away(node string, is bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		p.out = map[string]bool{}
	}
	p.out[node] = is
}

func (p *part) awayNodes() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.out)
}

// Replicates reports whether this node was opened to store Raft's log, as a voter or
// on the way to become one. Its copy may not say so yet; see [Node.Replaying].
func (n *Node) Replicates() bool { return n.kind != act.Mirror }

// partIn returns the part that a state gives this node. One that it does not
// know, or no more, can only pull.
func (n *Node) partIn(view *state.State) act.NodeKind {
	if self, ok := view.Node(n.cfg.Self); ok {
		return self.Kind
	}
	return act.Mirror
}

// Replaying reports whether this node takes in Raft's log from before what its
// copy held when it was opened: until then the copy is one from before.
func (n *Node) Replaying() bool { return n.rewind.Load() || n.View().Envelopes < n.part.after }

// replicating returns the nodes that store Raft's log, with their kind.
func replicating(view *state.State) map[string]act.NodeKind {
	nodes := map[string]act.NodeKind{}
	for _, node := range view.Nodes {
		if node.Kind == act.Voter || node.Kind == act.NonVoter {
			nodes[node.ID] = node.Kind
		}
	}
	return nodes
}

// choosePart decides what part this node is opened for, and notes it if that is to
// store Raft's log: until its copy is whole again it may be one from before.
func (n *Node) choosePart(view *state.State) error {
	n.kind = n.partIn(view)
	noted, err := n.notedPart()
	if err != nil {
		return err
	}
	n.part.after = max(noted.Envelopes, view.Envelopes)
	if noted.Envelopes > view.Envelopes {
		n.kind = noted.Kind
		return nil
	}
	if n.kind == noted.Kind || n.kind == act.Mirror && noted == (notedPart{}) {
		return nil
	}
	return n.notePart(notedPart{Kind: n.kind, Envelopes: view.Envelopes})
}

// notedPart is what part this node is known to take once its copy has so many
// envelopes. A copy with fewer does not say: a start without a snapshot replays
// Raft's log from the genesis, in which this node may be a mirror, and a voter that
// was away learns from others that it is none.
type notedPart struct {
	Kind      act.NodeKind
	Envelopes uint64
}

func (n *Node) partPath() string { return filepath.Join(n.cfg.Dir, "part") }

func (n *Node) notePart(p notedPart) error {
	raw := cbor.AppendUint(cbor.AppendArray(nil, 2), uint64(p.Kind))
	if err := ledger.WriteFileDurable(n.partPath(), cbor.AppendUint(raw, p.Envelopes)); err != nil {
		return fmt.Errorf("note what part this node takes: %w", err)
	}
	fault.At(fault.PartNoted)
	return nil
}

// notedPart reads what notePart wrote. A note that is damaged is none: the copy says
// it too, but for the moments in which it is one from before.
func (n *Node) notedPart() (p notedPart, err error) {
	raw, err := ledger.ReadFileDurable(n.partPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notedPart{}, nil
	case errors.Is(err, ledger.ErrStorage):
		return notedPart{}, err
	}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	p = notedPart{Kind: act.NodeKind(d.Uint8()), Envelopes: d.Uint()}
	if err != nil || d.Done() != nil {
		n.log.Warn("the note of what part this node takes is damaged")
		return notedPart{}, nil
	}
	return p, nil
}

func (n *Node) startPart(view *state.State) error {
	if n.Replicates() {
		return n.startVoter(view)
	}
	return n.startMirror()
}

// runPart tells the caller of Open once an act has made a mirror of this voter,
// or the other way round: each starts in another way. From non-voter to voter
// nothing changes here.
func (n *Node) runPart(ctx context.Context) {
	_, err := n.Wait(ctx, func(view *state.State) bool {
		return view.Envelopes >= n.part.after && (n.partIn(view) == act.Mirror) == n.Replicates()
	})
	if err != nil || n.Replicates() && !n.awaitRelease(ctx) {
		return
	}
	n.log.Info("an act has given this node another part: it has to be opened again", "was", n.kind.String(), "is", n.partIn(n.View()).String())
	n.changePart()
}

func (n *Node) changePart() {
	if n.part.changed.Swap(true) || n.cfg.Part == nil {
		return
	}
	n.part.end()
	go n.cfg.Part()
}

// awaitRelease waits until Raft does not count on this node's vote any more: a
// voter that left before would be missed like a dead one. Of one that was away
// then, or was removed, Raft may have let go without its hearing so: it leaves if
// it hears no leader for long and the voters do without it.
func (n *Node) awaitRelease(ctx context.Context) bool {
	for since := time.Now(); n.votesInRaft(); {
		if _, in := n.View().Node(n.cfg.Self); !in && !n.Leading() {
			return true
		}
		if n.lost(since) && n.majorityAnswers(ctx, n.View()) {
			return true
		}
		if !pause(ctx, n.cfg.Timing.Lease) {
			return false
		}
	}
	return true
}

func (n *Node) votesInRaft() bool {
	c := n.raft.GetConfiguration()
	return c.Error() == nil && votersOf(c.Configuration())[n.cfg.Self]
}

// saveForPart makes durable the state that says what part this node takes from
// now on, once nothing applies any more.
func (n *Node) saveForPart() error {
	if !n.Replicates() {
		return nil // what a mirror has confirmed is saved
	}
	s, err := n.machine.Snapshot()
	if err != nil {
		return fmt.Errorf("save for another part: %w", err)
	}
	if err := n.save(s); err != nil {
		return err
	}
	fault.At(fault.PartSaved)
	return nil
}

// forgetRaft removes what Raft has kept on a node that is no voter any more, but
// not its term and vote: they hold for ever. What lies in the log would not be
// erased with its entries.
func (n *Node) forgetRaft() error {
	dir := filepath.Join(n.cfg.Dir, "raft")
	switch _, err := os.Lstat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ledger.ErrStorage, err)
	}
	if err := logstore.Remove(filepath.Join(dir, logFile)); err != nil {
		return err
	}
	fault.At(fault.PartForgotten)
	for _, name := range []string{filepath.Join(dir, "snapshots"), recoveryPath(n.cfg.Dir)} {
		if err := os.RemoveAll(name); err != nil {
			return fmt.Errorf("remove what Raft has kept: %w: %w", ledger.ErrStorage, err)
		}
	}
	return nil
}
