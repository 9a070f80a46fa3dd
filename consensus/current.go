package consensus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
)

// restoredFile is the fact of a copy that came from a backup and has not met the
// network since.
const restoredFile = "restored"

// current says whether this node has heard, since it was started, where the
// network is. Before that its copy may be an old one, with entries in it that
// were withdrawn meanwhile.
type current struct {
	now      atomic.Bool
	restored atomic.Bool // the copy came from a backup: nobody is answered before, not even at home
}

func (c *current) load(dir string) error {
	_, err := os.Lstat(filepath.Join(dir, restoredFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ledger.ErrStorage, err)
	}
	c.restored.Store(true)
	return nil
}

// CheckRestored returns [machine.ErrGap] if the copy in a node's directory, which may
// be running, came from a backup and has not caught up with the network since.
func CheckRestored(dir string) error {
	var c current
	if err := c.load(dir); err != nil {
		return err
	}
	return c.check()
}

func (c *current) check() error {
	if c.restored.Load() {
		return fmt.Errorf("this copy came from a backup and has not caught up with the network: %w", machine.ErrGap)
	}
	return nil
}

// caughtUpOnce reports whether the node was current once since it was started: a
// voter has applied what a leader had committed, a mirror has all of a peer's
// newest checkpoint.
func (n *Node) caughtUpOnce() bool {
	if n.current.now.Load() {
		return true
	}
	if !n.Replicates() || n.raft == nil {
		return false
	}
	if _, leader := n.raft.LeaderWithID(); leader == "" || !n.caughtUp() {
		return false
	}
	n.current.now.Store(true)
	return true
}

// met notes that this mirror has all of a peer's newest checkpoint.
func (n *Node) met() error {
	n.current.now.Store(true)
	if !n.current.restored.Load() {
		return nil
	}
	if err := n.save(*n.confirmed.Load()); err != nil { // the mark goes when what it waited for is on the disk
		return n.fail(err)
	}
	if err := os.Remove(filepath.Join(n.cfg.Dir, restoredFile)); err != nil {
		return n.fail(fmt.Errorf("%w: %w", ledger.ErrStorage, err))
	}
	n.current.restored.Store(false)
	n.log.Info("the copy from the backup has caught up")
	n.checkpoints.wake() // who waited for a whole copy looks again
	return nil
}
