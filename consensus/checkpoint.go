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
	// again, and the leader looks six times within it: hospitals' quotas are
	// counted by the days of the cosignatures.
	renewAfter = time.Hour
)

// checkpoints keeps the newest valid checkpoint and the policies they must meet.
type checkpoints struct {
	path   string
	judges judges

	mu      sync.Mutex
	newest  tlog.SignedCheckpoint // this node has applied its size and found its root
	pending tlog.SignedCheckpoint // valid and larger; not applied yet
	changed chan struct{}         // closed and replaced when either changes
}

func openCheckpoints(dir string, view func() *state.State) *checkpoints {
	return &checkpoints{path: filepath.Join(dir, "checkpoint"), judges: judges{view: view}, changed: make(chan struct{})}
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
	cosignatures, err := c.judges.verify(sc)
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
	key, err := c.judges.cosigner(node, cp.Size)
	if err != nil {
		return err
	}
	if len(sigs) != 2 {
		return fmt.Errorf("%d cosignatures by %s, want 2", len(sigs), node)
	}
	_, err = key.Verify(cp, sigs)
	return err
}

func (c *checkpoints) current() (tlog.SignedCheckpoint, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest, c.changed
}

// known returns the size of the largest valid checkpoint, applied or not.
func (c *checkpoints) known() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.newest.Size, c.pending.Size)
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

// Policy returns the policy that checkpoints of a tree size must meet: a majority
// of the voters at that size.
func (n *Node) Policy(size uint64) (*tlog.Policy, error) { return n.checkpoints.judges.at(size) }

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
	if _, err := n.checkpoints.judges.verify(sc); err != nil {
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
			n.checkpoints.dismiss(pending) // its voters were not those that it was judged by before
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

// dismiss forgets a postponed checkpoint.
func (c *checkpoints) dismiss(sc tlog.SignedCheckpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending.Checkpoint == sc.Checkpoint {
		c.pending = tlog.SignedCheckpoint{}
	}
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
