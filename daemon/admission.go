package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

// identify finds this node among the founders and checks that the keys are its
// own. One that is no founder has the institution 0: it is let in by an act that
// its copy does not hold yet.
func (s *service) identify(founded *state.State) (act.Node, error) {
	self, ok := founded.Node(s.cfg.Node.ID)
	if ok {
		return *self, s.checkKey(self, founded.Name)
	}
	if node, known := nodeByKey(founded, s.keys.TLS.Public().ID()); known {
		return act.Node{}, fmt.Errorf("%w: node %q is not in the genesis of %s, which knows its key as that of %q",
			home.ErrOtherGenesis, s.cfg.Node.ID, founded.Name, node)
	}
	return act.Node{ID: s.cfg.Node.ID, Kind: act.Mirror}, nil
}

func (s *service) checkKey(self *act.Node, network string) error {
	if !s.keys.Rotated && self.TLS.ID() != s.keys.TLS.Public().ID() {
		return fmt.Errorf("%w: the key file is not that of node %q in network %s", home.ErrKeys, self.ID, network)
	}
	return nil
}

// awaitAdmission returns once this node's copy says whose it is: at once for a
// founder's, and for one that was let in later as soon as it holds the act that
// does so. Until then the node pulls, and tells commands that it waits.
func (s *service) awaitAdmission(ctx context.Context) error {
	if err := s.awaitReplay(ctx); err != nil {
		return err
	}
	if known, gone, ok := s.node.View().EverNode(s.self.ID); ok { // its part may be another than at the founding
		s.self = *known
		if gone > 0 {
			s.log.Error("this node was removed from the network: it keeps its copy, and nobody answers it", "envelope", gone)
			return nil
		}
	}
	if s.self.Institution == 0 {
		if _, in := s.node.View().Node(s.self.ID); !in {
			stopAdmin, err := s.serveAdmin(ctx, s.waitingMux())
			if err != nil {
				return err
			}
			defer stopAdmin()
			s.log.Info("waiting until lead hospitals let this node in and its copy says so: raresync act propose admission, at one of them",
				"node", s.self.ID)
		}
		view, err := s.waitOrFail(ctx, func(v *state.State) bool { _, in := v.Node(s.self.ID); return in })
		if err != nil {
			return err
		}
		self, _ := view.Node(s.self.ID)
		if err := s.checkKey(self, view.Name); err != nil {
			return err
		}
		s.self = *self
		s.log.Info("this node was let in", "node", self.ID, "institution", self.Institution)
	}
	return s.settleKeys(s.node.View())
}

// awaitReplay waits while a node that is to become a voter, or one that is no
// founder, takes in Raft's log from its first record on: its copy may not even know
// its institution meanwhile.
func (s *service) awaitReplay(ctx context.Context) error {
	self, known := s.node.View().Node(s.self.ID)
	if !s.node.Replaying() || s.self.Institution != 0 && (!known || self.Kind != act.NonVoter) {
		return nil
	}
	stopAdmin, err := s.serveAdmin(ctx, s.waitingMux())
	if err != nil {
		return err
	}
	defer stopAdmin()
	s.log.Info("taking in the log again from the voters, before anything else", "node", s.self.ID)
	_, err = s.waitOrFail(ctx, func(*state.State) bool { return !s.node.Replaying() })
	return err
}

// waitOrFail waits for a view, or for a failure that ends the process.
func (s *service) waitOrFail(ctx context.Context, cond func(*state.State) bool) (*state.State, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer close(done)
	s.workers.Go(func() {
		select {
		case err := <-s.failed:
			cancel(err)
		case <-done:
		}
	})
	view, err := s.node.Wait(ctx, cond)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return view, err
}

// ended returns nil in place of the end of a context: somebody stopped the
// daemon.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
