package consensus

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
)

func TestALeaderThatClosesStaysToVoteForItsSuccessor(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	others := slices.DeleteFunc(slices.Clone(c.voters()), func(id string) bool { return id == leader })
	if _, err := c.send(func() string { return leader }, c.chain(0).next(1).Marshal()); err != nil {
		t.Fatal(err)
	}
	term := c.node(leader).Status().Term
	elected := make(chan raft.Observation, 64)
	for _, id := range others {
		c.node(id).raft.RegisterObserver(raft.NewObserver(elected, false, func(o *raft.Observation) bool {
			l, ok := o.Data.(raft.LeaderObservation)
			return ok && slices.Contains(others, string(l.LeaderID)) && o.Raft.CurrentTerm() == term+1
		}))
	}
	c.net.setCut(true, others[0], others[1]) // the successor has no other vote than the leader's
	c.close(c.ctx, leader)
	select {
	case <-elected:
	default:
		t.Errorf("%s left term %d without a successor%s", leader, term, c.describe())
	}
}

func TestAQuestionGoesOnALiveStream(t *testing.T) {
	for name, tc := range map[string]struct {
		fails []error
		asked int
		want  error
	}{
		"asked once where the stream lives":            {nil, 1, nil},
		"asked anew past every stream of a former run": {[]error{io.EOF, io.EOF, io.ErrClosedPipe}, 4, nil},
		"not for ever":                    {[]error{io.EOF, io.EOF, io.EOF, io.EOF, io.EOF}, 4, io.EOF},
		"not where nobody can be dialled": {[]error{io.EOF, context.DeadlineExceeded}, 2, context.DeadlineExceeded},
		"not while this node closes":      {[]error{errShutdown}, 1, errShutdown},
	} {
		asked := 0
		err := onLiveStream(func() error {
			if asked++; asked <= len(tc.fails) {
				return tc.fails[asked-1]
			}
			return nil
		})
		if !errors.Is(err, tc.want) || asked != tc.asked {
			t.Errorf("%s: asked %d times, got %v; want %d, %v", name, asked, err, tc.asked, tc.want)
		}
	}
}
