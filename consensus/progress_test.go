package consensus

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
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
