package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
)

// TestLeaderKnowsHowFarEachFollowerHasCome runs three voters and asks the
// leader's record for what a healthy network shows: every follower at the end
// of the log.
func TestLeaderKnowsHowFarEachFollowerHasCome(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	c.load(3, 1, c.leader())
	c.converged(1 + 3*3)
	c.until("followers at the end of the leader's log", func() bool {
		list, last := c.node(c.leader()).Followers()
		reached := 0
		for _, f := range list {
			if f.Stored == last && !f.Refused && !f.Moved.IsZero() {
				reached++
			}
		}
		return reached == 2
	})
	if list, _ := c.node(c.follower()).Followers(); list != nil {
		t.Errorf("a follower answers for others: %v", list)
	}
}

// memLayer gives a bare transport the streams of a memnet.
type memLayer struct {
	*memListener
	streams *memStreams
}

func (l memLayer) Dial(node raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return l.streams.Dial(ctx, string(node))
}

func TestFollowerIsNotSentTheSameSnapshotAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemnet()
		open := func(id string) *raft.NetworkTransport {
			l := m.listen(id)
			return raft.NewNetworkTransport(memLayer{l, &memStreams{m, id, l}}, 1, time.Second, io.Discard)
		}
		leader := newTransport(open("a"), time.Now)
		follower := open("b")
		done := make(chan struct{})
		go func() {
			for {
				select {
				case rpc := <-follower.Consumer():
					_, err := io.Copy(io.Discard, rpc.Reader)
					rpc.Respond(&raft.InstallSnapshotResponse{Success: true}, err)
				case <-done:
					return
				}
			}
		}()
		send := func(index uint64) error {
			var resp raft.InstallSnapshotResponse
			args := &raft.InstallSnapshotRequest{SnapshotVersion: 1, LastLogIndex: index, Size: 5}
			return leader.InstallSnapshot("b", "b", args, &resp, strings.NewReader("state"))
		}
		for _, step := range []struct {
			what  string
			index uint64
			after time.Duration
			want  error
		}{
			{"the first", 7, 0, nil},
			{"the same at once", 7, 0, errInstalled},
			{"a newer one at once", 8, 0, nil},
			{"the same after a pause", 8, installPause, nil},
		} {
			time.Sleep(step.after)
			if err := send(step.index); !errors.Is(err, step.want) {
				t.Errorf("%s: %v, want %v", step.what, err, step.want)
			}
		}
		close(done)
		if err := errors.Join(leader.Close(), follower.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestAFollowerThatCannotStoreIsNotTakenForOneThatDiffers: raft goes back by a
// record at each refusal, and in the end sends a snapshot from before what the
// follower has applied.
func TestAFollowerThatCannotStoreIsNotTakenForOneThatDiffers(t *testing.T) {
	records := []*raft.Log{{Index: 8, Term: 3}}
	for name, tc := range map[string]struct {
		args *raft.AppendEntriesRequest
		resp *raft.AppendEntriesResponse
		want bool
	}{
		"its disk refuses":             {&raft.AppendEntriesRequest{Term: 3, Entries: records}, &raft.AppendEntriesResponse{Term: 3, LastLog: 7}, true},
		"it has stored them":           {&raft.AppendEntriesRequest{Term: 3, Entries: records}, &raft.AppendEntriesResponse{Term: 3, Success: true}, false},
		"its log differs":              {&raft.AppendEntriesRequest{Term: 3, Entries: records}, &raft.AppendEntriesResponse{Term: 3, NoRetryBackoff: true}, false},
		"it knows of a later term":     {&raft.AppendEntriesRequest{Term: 3, Entries: records}, &raft.AppendEntriesResponse{Term: 4}, false},
		"it was sent nothing to store": {&raft.AppendEntriesRequest{Term: 3}, &raft.AppendEntriesResponse{Term: 3}, false},
	} {
		if got := couldNotStore(tc.args, tc.resp); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func TestASnapshotOlderThanWhatWasAppliedIsNotRestored(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	c.load(1, 2, leader)
	c.converged(1 + 3*2)
	n := c.node(leader)
	before := n.machine.View().Envelopes
	older := machine.Snapshot{State: n.machine.View(), At: n.machine.Ledger().Lengths()}
	err := (&fsm{n: n}).Restore(io.NopCloser(bytes.NewReader(older.Marshal()))) // no snapshot is there: index 0
	if !errors.Is(err, errSetBack) || n.failure() != nil || n.machine.View().Envelopes != before {
		t.Errorf("got %v, want %v and nothing changed", err, errSetBack)
	}
}

// TestALeaderWhoseSnapshotIsOlderThanAFollowersTakesANewOne: the last leader
// had sent a newer one, and this one's log does not reach back to it.
func TestALeaderWhoseSnapshotIsOlderThanAFollowersTakesANewOne(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"the follower has a newer one":  {fmt.Errorf("failed to create snapshot: %w, at 113", logstore.ErrStaleSnapshot), true},
		"the follower has applied more": {fmt.Errorf("restore: %w", errSetBack), true},
		"the line was cut":              {io.ErrUnexpectedEOF, false},
		"it was taken":                  {nil, false},
	} {
		if got := hasNewer(tc.err); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	c := newCluster(t, 3)
	c.open(c.voters()...)
	n := c.node(c.leader())
	c.load(1, 2, n.cfg.Self)
	c.converged(1 + 3*2)
	n.transport.outdated <- struct{}{}
	c.until("a new snapshot, though few bytes were applied", func() bool {
		newest, found := n.snapshots.Newest()
		return found && newest.Index > 0
	})
}
