package consensus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

const (
	maxNoteBytes = 64 << 10 // of a signed checkpoint: nine voters with two signatures
	keepPause    = time.Second

	// renewAfter is the age at which an idle log's newest checkpoint is cosigned
	// again, and renewPeriod how often the leader looks: hospitals' quotas are
	// counted by the days of the cosignatures.
	renewAfter  = time.Hour
	renewPeriod = 10 * time.Minute
)

// checkpoints keeps the newest valid checkpoint and the policy it must meet.
type checkpoints struct {
	path   string
	policy *tlog.Policy
	voters map[string]*tlog.CosignerKey

	mu      sync.Mutex
	newest  tlog.SignedCheckpoint // this node has applied its size and found its root
	pending tlog.SignedCheckpoint // valid and larger; not applied yet
	changed chan struct{}         // closed and replaced when either changes
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

func openCheckpoints(dir string, view *state.State) (*checkpoints, error) {
	_, keys, err := voterKeys(view)
	if err != nil {
		return nil, err
	}
	c := &checkpoints{
		path:   filepath.Join(dir, "checkpoint"),
		voters: map[string]*tlog.CosignerKey{}, changed: make(chan struct{}),
	}
	for i, v := range view.Voters() {
		c.voters[v.ID] = keys[i]
	}
	c.policy, err = PolicyOf(view)
	return c, err
}

// loadCheckpoint offers the checkpoint of the last run. One that is missing,
// damaged or no longer valid is no loss: the network has newer ones.
func (n *Node) loadCheckpoint() error {
	raw, err := ledger.ReadFileDurable(n.checkpoints.path)
	if errors.Is(err, ledger.ErrStorage) {
		return err
	}
	if err == nil {
		var sc tlog.SignedCheckpoint
		if sc, err = parseNote(raw); err == nil {
			err = n.offer(sc)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		n.log.Info("checkpoint of the last run not used", "reason", err.Error())
	}
	return n.failure()
}

func (c *checkpoints) save() error {
	newest, _ := c.current()
	if newest.Size == 0 {
		return nil
	}
	return ledger.WriteFileDurable(c.path, newest.Marshal())
}

// accept keeps a checkpoint that was verified and compared, if it is the
// newest.
func (c *checkpoints) accept(sc tlog.SignedCheckpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sc.Size > c.newest.Size || c.renews(sc, c.newest) {
		c.newest = sc
		c.broadcast()
	}
}

// renews reports whether sc is the known checkpoint, cosigned later.
func (c *checkpoints) renews(sc, known tlog.SignedCheckpoint) bool {
	return sc.Checkpoint == known.Checkpoint && c.time(sc).After(c.time(known))
}

// time returns the median of a checkpoint's cosignatures, the zero time if it is
// not valid.
func (c *checkpoints) time(sc tlog.SignedCheckpoint) time.Time {
	cosignatures, err := c.policy.Verify(sc)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(int64(tlog.MedianTime(cosignatures)), 0)
}

// postpone keeps a verified checkpoint until its size is applied.
func (c *checkpoints) postpone(sc tlog.SignedCheckpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if sc.Size > c.pending.Size {
		c.pending = sc
		c.broadcast()
	}
}

// wake makes everyone who waits for a change look again.
func (c *checkpoints) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broadcast()
}

func (c *checkpoints) broadcast() {
	close(c.changed)
	c.changed = make(chan struct{})
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
// once there is one that this node can prove entries against, or when the
// context ends.
func (n *Node) WaitCheckpoint(ctx context.Context, size uint64) (tlog.SignedCheckpoint, error) {
	for {
		cp, changed := n.checkpoints.current()
		if cp.Size >= size && cp.Size > 0 {
			return cp, nil
		}
		select {
		case <-ctx.Done():
			return tlog.SignedCheckpoint{}, ctx.Err()
		case <-n.ctx.Done():
			return tlog.SignedCheckpoint{}, n.ended()
		case <-changed:
		}
	}
}

func parseNote(note []byte) (tlog.SignedCheckpoint, error) {
	if len(note) > maxNoteBytes {
		return tlog.SignedCheckpoint{}, fmt.Errorf("checkpoint of %d bytes, at most %d", len(note), maxNoteBytes)
	}
	return tlog.ParseSignedCheckpoint(note)
}

// offer verifies a checkpoint and compares it with this node's copy, now or
// once its size is applied. With another root the copy is not the majority's.
func (n *Node) offer(sc tlog.SignedCheckpoint) error {
	if known, _ := n.checkpoints.current(); known.Checkpoint == sc.Checkpoint && !n.checkpoints.renews(sc, known) {
		return nil
	}
	if _, err := n.checkpoints.policy.Verify(sc); err != nil {
		return err
	}
	return n.take(sc)
}

// take is offer for a checkpoint that was verified.
func (n *Node) take(sc tlog.SignedCheckpoint) error {
	switch root, err := n.rootAt(sc.Size); {
	case errors.Is(err, ledger.ErrOutOfRange), errors.Is(err, machine.ErrGap):
		n.checkpoints.postpone(sc)
		return nil
	case err != nil:
		return err
	case root != sc.Root:
		return n.quarantine(fmt.Errorf("checkpoint at %d: %w", sc.Size, ErrRootDiffers))
	}
	n.checkpoints.accept(sc)
	return nil
}

// rootAt returns the root of this node's copy at a size; what a mirror has not
// confirmed is not its copy.
func (n *Node) rootAt(size uint64) (tlog.Hash, error) {
	if s := n.confirmed.Load(); s != nil && size > s.At.TreeSize {
		return tlog.Hash{}, ledger.ErrOutOfRange
	}
	return n.machine.RootAt(size)
}

// runComparer offers a postponed checkpoint again once its size is applied.
func (n *Node) runComparer(ctx context.Context) {
	for {
		pending, changed := n.checkpoints.postponed()
		if pending.Size == 0 {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			continue
		}
		if _, err := n.Wait(ctx, func(s *state.State) bool { return s.Tree.Size() >= pending.Size }); err != nil {
			return
		}
		if err := n.offer(pending); err != nil {
			n.log.Warn("checkpoint not compared", "size", pending.Size, "reason", err.Error())
			if !pause(ctx, pullPause) {
				return
			}
		}
	}
}

// postponed returns the checkpoint that waits for its size to be applied; its
// size is zero if none does.
func (c *checkpoints) postponed() (tlog.SignedCheckpoint, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending.Size <= c.newest.Size {
		return tlog.SignedCheckpoint{}, c.changed
	}
	return c.pending, c.changed
}

// runKeeper saves the newest checkpoint, at most once a second: after a power
// cut at all nodes each can prove at once what it could before.
func (n *Node) runKeeper(ctx context.Context) {
	saved := uint64(0)
	for {
		cp, changed := n.checkpoints.current()
		if cp.Size > saved {
			err := n.checkpoints.save()
			if errors.Is(err, syscall.ENOSPC) { // the network has it too
				if n.log.Warn("the newest checkpoint is not saved", "reason", err.Error()); !pause(ctx, announcePeriod) {
					return
				}
				continue
			}
			if err != nil {
				_ = n.fail(fmt.Errorf("save checkpoint: %w", err)) // the caller of Open has it
				return
			}
			saved = cp.Size
			if !pause(ctx, keepPause) {
				return
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}
