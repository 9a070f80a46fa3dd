package consensus

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/machine"
)

// A Meter is told what happens on a node and how long it took, by the goroutines
// that do it, several at once: its methods return at once and do not call back.
// What it is told of is over.
type Meter interface {
	// Committed is told of an envelope that this leader gave to Raft: how long it
	// took until it was committed and applied here.
	Committed(took time.Duration)
	// Applied is told of envelopes that were applied together, accepted or not.
	Applied(envelopes int, took time.Duration)
	// Refused is told of the code by which an envelope was refused: as the leader
	// answered, or as a voter applied it.
	Refused(code string)
	// Synced is told of a write that waited for the disk: of records into Raft's
	// log, or of a mirror's copy.
	Synced(took time.Duration)
	// LeaderChanged is told that Raft knows of a leader that it did not know before.
	LeaderChanged()
	// RootDiffered is told that a checkpoint or a proposal had another root than
	// this node's copy, whoever of the two is wrong.
	RootDiffered()
}

// unmetered is the meter of a node that nobody watches.
type unmetered struct{}

func (unmetered) Committed(time.Duration)    {}
func (unmetered) Applied(int, time.Duration) {}
func (unmetered) Refused(string)             {}
func (unmetered) Synced(time.Duration)       {}
func (unmetered) LeaderChanged()             {}
func (unmetered) RootDiffered()              {}

// meterOutcomes tells the meter of envelopes that this voter has applied.
func (n *Node) meterOutcomes(outs []machine.Outcome, began time.Time) {
	n.cfg.Meter.Applied(len(outs), time.Since(began))
	for _, out := range outs {
		n.meterRefusal(out)
	}
}

// meterRefusal tells the meter of a refusal.
func (n *Node) meterRefusal(out Outcome) {
	if out.Refusal != nil {
		n.cfg.Meter.Refused(string(out.Refusal.Code))
	}
}

// meterRoot tells the meter of an error that says that two roots differ.
func (n *Node) meterRoot(err error) error {
	if errors.Is(err, ErrRootDiffers) {
		n.cfg.Meter.RootDiffered()
	}
	return err
}

// meterLeader has Raft tell the meter of leaders. The filter is all that is
// wanted: it runs where Raft sees the change, and keeps nothing.
func (n *Node) meterLeader() {
	n.raft.RegisterObserver(raft.NewObserver(nil, false, func(o *raft.Observation) bool {
		if now, is := o.Data.(raft.LeaderObservation); is && now.LeaderID != "" {
			n.cfg.Meter.LeaderChanged()
		}
		return false
	}))
}

// Progress is how far this node's parts have come, for whoever watches it.
type Progress struct {
	CommitIndex  uint64        // of Raft; 0 on a mirror
	AppliedIndex uint64        // of Raft; 0 on a mirror
	LastContact  time.Duration // since the leader was heard; 0 on a leader, negative if it never was, and on a mirror
	Unsaved      uint64        // bytes of envelopes applied since the last snapshot; 0 on a mirror
	Saved        time.Time     // when the state was last written beside the ledger; zero if never
	Behind       uint64        // entries under the newest checkpoint met that this copy has not taken over yet
}

// Progress returns how far this node's parts have come.
func (n *Node) Progress() Progress {
	p := Progress{LastContact: -1}
	known := max(n.goal.Load(), n.checkpoints.known())
	p.Behind = known - min(known, n.View().Tree.Size())
	if info, err := os.Stat(filepath.Join(n.cfg.Dir, "state")); err == nil {
		p.Saved = info.ModTime()
	}
	if n.raft == nil {
		return p
	}
	p.AppliedIndex = n.raft.AppliedIndex() // first, so that it is never ahead
	p.CommitIndex, p.Unsaved = n.raft.CommitIndex(), n.machine.Applied()
	switch last := n.raft.LastContact(); {
	case n.Leading():
		p.LastContact = 0
	case !last.IsZero():
		p.LastContact = time.Since(last)
	}
	return p
}
