package consensus

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrLeftBehind says that the network went on in a later log epoch without this
// node, or without what this node holds.
var ErrLeftBehind = errors.New("the network went on without this node's copy")

// Succession returns the recovery act that began this copy's log epoch, as the
// envelope that holds it; nil in the first epoch. It is what a node that was left
// behind is shown: it needs nobody's word beside it.
func (n *Node) Succession() ([]byte, error) {
	view := n.View()
	if len(view.Epochs) == 0 {
		return nil, nil
	}
	p, err := n.Envelope(view.Epochs[len(view.Epochs)-1].Envelopes)
	if err != nil {
		return nil, fmt.Errorf("the act that began the log epoch: %w", err)
	}
	return p.Envelope, nil
}

// HearSuccession takes an act that a peer shows for the one that began a later log
// epoch. Unless q lead hospitals that this node knows have approved it, that is an
// error and nothing else. A node that it fences, or whose copy goes beyond the cut,
// is quarantined: what it holds beyond is lost to the network, and if it voted on it
// would fork the log.
func (n *Node) HearSuccession(raw []byte) error {
	e, err := envelope.Decode(raw)
	if err != nil {
		return fmt.Errorf("hear of a later log epoch: %w", err)
	}
	view := n.View()
	d, err := view.Succeeded(e)
	if err != nil {
		return fmt.Errorf("hear of a later log epoch: %w", err)
	}
	if reason := n.leftBehind(d); reason != nil {
		return n.quarantine(reason)
	}
	return nil
}

// leftBehind says why a later log epoch is not for this node's copy, nil if it is.
func (n *Node) leftBehind(d *act.Recovery) error {
	view := n.View()
	if slices.Contains(d.Fenced, n.cfg.Self) {
		return fmt.Errorf("%w: log epoch %d began behind %d entries, and shuts this node out", ErrLeftBehind, d.Epoch, d.Size)
	}
	if size := view.Tree.Size(); size > d.Size {
		return fmt.Errorf("%w: log epoch %d began behind %d entries; the %d beyond, which this node holds, are lost at the recovery",
			ErrLeftBehind, d.Epoch, d.Size, size-d.Size)
	}
	root, err := n.rootAt(d.Size)
	if err == nil && root != d.Root {
		return fmt.Errorf("%w: log epoch %d began with another root than this node's at %d", ErrLeftBehind, d.Epoch, d.Size)
	}
	return nil
}

// Passed reports whether a peer has shown a checkpoint of a later log epoch that this
// node's copy does not lead to.
func (n *Node) Passed() bool { return n.passed.Load() }
