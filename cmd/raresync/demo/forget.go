package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/daemon/admin"
)

// forget lets one patient withdraw at one hospital, and waits until every node
// has declared that the entries are erased.
func (s *story) forget(ctx context.Context, visits []visit) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	before, err := s.network.Reader.Client.Persons(ctx)
	if err != nil {
		return err
	}
	hospital, r, err := s.withdraw(ctx, visits)
	if err != nil {
		return err
	}
	if hospital == nil {
		s.screen.Note("no patient of the input was registered with a document")
		return nil
	}
	s.result.Withdrawn = len(r.Entries)
	if err := s.await(ctx, "every node has declared the erasure", func() (bool, error) { return s.declared(ctx) }); err != nil {
		return err
	}
	s.screen.Done(fmt.Sprintf("a patient withdrew at %s: all that it had sent (entries: %d) is erased, as %d of %d nodes declare under their signatures",
		hospital.Node, s.result.Withdrawn, s.result.Declared, len(s.result.Nodes)))
	after, err := s.network.Reader.Client.Persons(ctx)
	if err != nil {
		return err
	}
	s.screen.Done(fmt.Sprintf("the coordinator reads fewer registrations (%d less); what another hospital holds of the patient is for it to erase",
		before.Cases-after.Cases))
	return s.await(ctx, "every node has the same log", func() (bool, error) { return s.compare(ctx) })
}

// mostTries is how many patients are tried until one is found who was registered.
const mostTries = 50

// withdraw erases a patient at one hospital: one who is known at two, if there is
// one. The hospital is nil if none of the first patients was registered.
func (s *story) withdraw(ctx context.Context, visits []visit) (*Process, admin.WithdrawalResult, error) {
	known := slices.Clone(visits)
	slices.SortStableFunc(known, func(a, b visit) int {
		switch {
		case a.second == b.second:
			return 0
		case a.second:
			return -1
		}
		return 1
	})
	for _, v := range known[:min(len(known), mostTries)] {
		for _, d := range v.file.Identities {
			hospital := s.network.Hospitals[v.hospital]
			r, err := hospital.Client.Withdraw(ctx, admin.Withdrawal{Action: "erase", Document: &d, By: "self", Now: true, Wait: true})
			var problem *admin.Problem
			switch {
			case errors.As(err, &problem) && problem.Code == admin.CodeNoEntries, err == nil && r.Outcome != "accepted":
			default:
				return hospital, r, err
			}
		}
	}
	return nil, admin.WithdrawalResult{}, nil
}

// declared reports whether every node has declared the newest withdrawal.
func (s *story) declared(ctx context.Context) (bool, error) {
	list, err := s.network.Reader.Client.Erasures(ctx)
	if err != nil || len(list) == 0 {
		return false, err
	}
	newest := list[len(list)-1]
	s.result.Declared = newest.Declared
	return newest.Declared == len(s.network.Processes()), nil
}

// await asks until it is so.
func (s *story) await(ctx context.Context, what string, cond func() (bool, error)) error {
	for {
		done, err := cond()
		if err == nil && done {
			return nil
		}
		if wait := pause(ctx); wait != nil {
			return fmt.Errorf("not in time: %s: %w", what, errors.Join(wait, err))
		}
	}
}
