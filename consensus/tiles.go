package consensus

import "github.com/raresync/raresync/crypto/tlog"

// Tile returns a tile, or a bundle of leaves, of the tree under the newest
// checkpoint, for whoever asks. ledger.ErrOutOfRange says that there is none such;
// ErrNotYet, or machine.ErrGap, that this node is no copy now.
func (n *Node) Tile(t tlog.Tile) ([]byte, error) {
	if err := n.ended(); err != nil {
		return nil, err
	}
	if err := n.Whole(); err != nil {
		return nil, err
	}
	cp := n.Checkpoint()
	return n.machine.Tile(t, cp.Size, cp.Root)
}
