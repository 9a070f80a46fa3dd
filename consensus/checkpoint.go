package consensus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

// maxNoteBytes bounds a signed checkpoint: nine voters with two signatures.
const maxNoteBytes = 64 << 10

// checkpoints keeps the newest valid checkpoint and the policy it must meet.
type checkpoints struct {
	path    string
	machine *machine.Machine
	policy  *tlog.Policy
	voters  map[string]*tlog.CosignerKey

	mu      sync.Mutex
	newest  tlog.SignedCheckpoint
	changed chan struct{} // closed and replaced at each newer one
}

// PolicyOf returns what makes a checkpoint of this network valid: a log
// signature by any voter and the cosignatures of a majority of the voters.
func PolicyOf(s *state.State) (*tlog.Policy, error) {
	logs, cosigners, err := voterKeys(s)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return tlog.VoterPolicy(logs, cosigners)
}

func voterKeys(s *state.State) ([]*tlog.VKey, []*tlog.CosignerKey, error) {
	var logs []*tlog.VKey
	var cosigners []*tlog.CosignerKey
	for _, v := range s.Voters() {
		log, err := tlog.NewVKey(Origin(s), tlog.LogEd25519, v.Log.Ed25519())
		if err != nil {
			return nil, nil, fmt.Errorf("log key of %s: %w", v.ID, err)
		}
		c, err := tlog.NewCosignerKey(CosignerName(s, v.ID), v.Cosign.Ed25519(), v.Cosign.MLDSA44().Bytes())
		if err != nil {
			return nil, nil, fmt.Errorf("cosigning key of %s: %w", v.ID, err)
		}
		logs, cosigners = append(logs, log), append(cosigners, c)
	}
	return logs, cosigners, nil
}

func openCheckpoints(dir string, m *machine.Machine) (*checkpoints, error) {
	view := m.View()
	_, keys, err := voterKeys(view)
	if err != nil {
		return nil, err
	}
	c := &checkpoints{
		path: filepath.Join(dir, "checkpoint"), machine: m,
		voters: map[string]*tlog.CosignerKey{}, changed: make(chan struct{}),
	}
	for i, v := range view.Voters() {
		c.voters[v.ID] = keys[i]
	}
	if c.policy, err = PolicyOf(view); err != nil {
		return nil, err
	}
	return c, c.load()
}

// load reads the checkpoint of the last run. One that is missing or no longer
// valid is no loss: the next round makes another.
func (c *checkpoints) load() error {
	raw, err := ledger.ReadFileDurable(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	sc, err := tlog.ParseSignedCheckpoint(raw)
	if err == nil {
		err = c.accept(sc)
	}
	if err != nil {
		return fmt.Errorf("checkpoint of the last run: %w", err)
	}
	return nil
}

func (c *checkpoints) save() error {
	c.mu.Lock()
	newest := c.newest
	c.mu.Unlock()
	if newest.Size == 0 {
		return nil
	}
	return ledger.WriteFileDurable(c.path, newest.Marshal())
}

// accept verifies a checkpoint and keeps it if it is the newest.
func (c *checkpoints) accept(sc tlog.SignedCheckpoint) error {
	if _, err := c.policy.Verify(sc); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if sc.Size > c.newest.Size {
		c.newest = sc
		close(c.changed)
		c.changed = make(chan struct{})
	}
	return nil
}

func (c *checkpoints) verifyCosigner(node string, cp tlog.Checkpoint, sigs []tlog.NoteSignature) error {
	key, ok := c.voters[node]
	if !ok {
		return fmt.Errorf("node %s is no voter", node)
	}
	if len(sigs) != 2 {
		return fmt.Errorf("%d cosignatures by %s, want 2", len(sigs), node)
	}
	_, err := key.Verify(cp, sigs)
	return err
}

func (c *checkpoints) current() (tlog.SignedCheckpoint, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest, c.changed
}

func (c *checkpoints) size() uint64 {
	cp, _ := c.current()
	return cp.Size
}

// Checkpoint returns the newest valid checkpoint this node knows; its size is
// zero if it knows none yet.
func (n *Node) Checkpoint() tlog.SignedCheckpoint {
	cp, _ := n.checkpoints.current()
	return cp
}

// Policy returns the policy that checkpoints of the network must meet.
func (n *Node) Policy() *tlog.Policy { return n.checkpoints.policy }

// WaitCheckpoint returns a valid checkpoint of at least the given tree size,
// once there is one, or when the context ends.
func (n *Node) WaitCheckpoint(ctx context.Context, size uint64) (tlog.SignedCheckpoint, error) {
	for {
		cp, changed := n.checkpoints.current()
		if cp.Size >= size && cp.Size > 0 {
			return cp, nil
		}
		select {
		case <-ctx.Done():
			return tlog.SignedCheckpoint{}, ctx.Err()
		case <-n.done:
			return tlog.SignedCheckpoint{}, errShutdown
		case <-changed:
		}
	}
}

// acceptCheckpoint verifies a checkpoint from a peer. If this node has applied
// its size and found another root, its copy is not the majority's.
func (n *Node) acceptCheckpoint(note []byte) error {
	if len(note) > maxNoteBytes {
		return fmt.Errorf("checkpoint of %d bytes, at most %d", len(note), maxNoteBytes)
	}
	sc, err := tlog.ParseSignedCheckpoint(note)
	if err != nil {
		return err
	}
	if _, err := n.checkpoints.policy.Verify(sc); err != nil {
		return err
	}
	switch root, err := n.machine.RootAt(sc.Size); {
	case errors.Is(err, ledger.ErrOutOfRange), errors.Is(err, machine.ErrGap):
		// Not applied yet; compared when it is.
	case err != nil:
		return err
	case root != sc.Root:
		return n.quarantine(fmt.Errorf("checkpoint at %d: %w", sc.Size, ErrRootDiffers))
	}
	return n.checkpoints.accept(sc)
}

// Receipt proves the entry at the given index: its leaf, and a C2SP tlog-proof
// against the newest valid checkpoint.
func (n *Node) Receipt(index uint64) (leaf []byte, proof tlog.Proof, err error) {
	cp, _ := n.checkpoints.current()
	view := n.machine.View()
	if _, _, gap := n.machine.Gap(); gap || cp.Size <= index || view.Tree.Size() < cp.Size {
		return nil, tlog.Proof{}, fmt.Errorf("receipt for entry %d: %w", index, ErrNotYet)
	}
	if leaf, err = n.machine.Ledger().Leaf(index); err != nil {
		return nil, tlog.Proof{}, fmt.Errorf("receipt for entry %d: %w", index, err)
	}
	hashes, err := tlog.InclusionProof(n.machine.Ledger(), index, cp.Size)
	if err != nil {
		return nil, tlog.Proof{}, fmt.Errorf("receipt for entry %d: %w", index, err)
	}
	return leaf, tlog.Proof{Index: index, Hashes: hashes, Checkpoint: cp}, nil
}
