package consensus

import (
	"context"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/state"
)

const (
	// eraseTurn is how long a voter is left to erase before the next one begins,
	// while others' envelopes come.
	eraseTurn = time.Second
	// eraseBusy is how many envelopes within eraseGather are so many that
	// somebody would notice.
	eraseBusy = 5
)

// gather waits until withdrawals that come together are there, and on a busy
// network until it is this voter's turn: a majority that overwrites its logs at
// the same time holds up every commit. It returns the view to erase by; ok is
// false when the context has ended.
func (n *Node) gather(ctx context.Context, view *state.State) (now *state.State, ok bool) {
	if !pause(ctx, eraseGather) {
		return nil, false
	}
	if n.View().Envelopes >= view.Envelopes+eraseBusy {
		if !pause(ctx, time.Duration(n.turn(view))*eraseTurn) {
			return nil, false
		}
	}
	if now = n.View(); n.owesErasure(now) {
		return now, true
	}
	return view, true
}

// turn returns how many voters erase before this node; a mirror waits for none.
func (n *Node) turn(view *state.State) int {
	if n.raft == nil {
		return 0
	}
	var voters []string
	for _, v := range view.Voters() {
		voters = append(voters, v.ID)
	}
	_, leader := n.raft.LeaderWithID()
	return turnOf(voters, n.cfg.Self, string(leader))
}

// turnOf returns the place of a node among voters that take turns: in their
// order, but the leader comes last, since nothing is committed without its disk.
func turnOf(voters []string, self, leader string) int {
	order := slices.DeleteFunc(slices.Clone(voters), func(id string) bool { return id == leader })
	if at := slices.Index(order, self); at >= 0 {
		return at
	}
	return len(order)
}
