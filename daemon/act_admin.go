package daemon

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

const (
	maxProposalRequest = 256 << 10 // bytes
	minPrefix          = 8         // hex characters that name a proposal
)

var (
	errNoProposal = errors.New("no such proposal")
	errNotLead    = errors.New("only a lead hospital approves")
	errRefused    = errors.New("the network would not take it")
)

// proposals lists the open proposals, then what is known of those that ended,
// the newest last.
func (s *service) proposals(*http.Request) ([]admin.Proposal, error) {
	view, now := s.now()
	out := []admin.Proposal{}
	for i := range view.Ended {
		out = append(out, s.describeEnded(view, &view.Ended[i]))
	}
	for i := range view.Proposals {
		out = append(out, s.describeProposal(view, &view.Proposals[i], now))
	}
	return out, nil
}

func (s *service) proposal(r *http.Request) (admin.Proposal, error) {
	view, now := s.now()
	id, err := findProposal(view, r.PathValue("id"))
	if err != nil {
		return admin.Proposal{}, err
	}
	return s.describe(view, id, now)
}

// now returns the state and the log time that an act posted now would get, as
// far as this node can tell.
func (s *service) now() (*state.State, uint64) {
	view := s.node.View()
	return view, max(view.LogTime, uint64(s.clock().UnixMilli()))
}

// propose puts an act forward, for the roster as this node knows it, and
// answers once the log has it.
func (s *service) propose(r *http.Request) (admin.Proposal, error) {
	var in admin.NewProposal
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Proposal{}, fmt.Errorf("%w: the proposal is not readable", errInvalid)
	}
	view, now := s.now()
	a := act.Act{
		Version: act.Version, Type: act.Type(in.Type), RosterVersion: view.RosterVersion, Expiry: in.Expiry, Payload: in.Payload,
	}
	p := act.Proposal{Core: a.Core(), Reason: in.Reason}
	id := act.ProposalID(view.Network, p.Core)
	if _, err := act.DecodeProposal(p.Marshal()); err != nil {
		return admin.Proposal{}, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if same := openTwin(view, &a, now); same != nil {
		return admin.Proposal{}, fmt.Errorf("%w: the same is proposed already, as %x", errRefused, same.ID[:8])
	}
	if refusal := view.CheckProposal(s.self.Institution, &p, now); refusal != nil {
		return admin.Proposal{}, fmt.Errorf("%w: %w", errRefused, refusal)
	}
	if err := s.checkQuorumLeft(view, &a); err != nil {
		return admin.Proposal{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	if in.DryRun {
		return s.describeProposal(view, &state.Proposal{
			ID: id, Proposer: s.self.Institution, Envelope: view.Envelopes, LogTime: now, Act: a, Reason: in.Reason,
		}, now), nil
	}
	err := s.postAct(r.Context(), act.Act{Version: act.Version, Type: act.TypeProposal, Payload: p.Marshal()})
	if err != nil {
		return admin.Proposal{}, unposted("propose", err)
	}
	view, err = s.node.Wait(r.Context(), func(v *state.State) bool { return knows(v, id) })
	if err != nil {
		return admin.Proposal{}, fmt.Errorf("propose: %w", err)
	}
	return s.describe(view, id, now)
}

// openTwin returns an open proposal that says the same, if there is one.
func openTwin(view *state.State, a *act.Act, now uint64) *state.Proposal {
	for i := range view.Proposals {
		p := &view.Proposals[i]
		if _, open := view.Proposal(p.ID, now); open && p.Act.Type == a.Type && string(p.Act.Payload) == string(a.Payload) {
			return p
		}
	}
	return nil
}

// unposted says what an error of the outbox means to who asked.
func unposted(what string, err error) error {
	var refusal *state.Refusal
	if errors.As(err, &refusal) {
		return fmt.Errorf("%s: %w: %w", what, errRefused, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// knows reports whether a state has a proposal, or remembers it.
func knows(view *state.State, id [32]byte) bool {
	return slices.ContainsFunc(view.Proposals, func(p state.Proposal) bool { return p.ID == id }) ||
		slices.ContainsFunc(view.Ended, func(e state.EndedProposal) bool { return e.ID == id })
}

// findProposal returns the proposal that the first characters of an id name.
func findProposal(view *state.State, prefix string) ([32]byte, error) {
	prefix = strings.ToLower(prefix)
	if len(prefix) < minPrefix || len(prefix) > 64 || strings.Trim(prefix, "0123456789abcdef") != "" {
		return [32]byte{}, fmt.Errorf("%w: an id is %d to 64 hexadecimal characters", errInvalid, minPrefix)
	}
	found := map[[32]byte]bool{}
	for i := range view.Proposals {
		found[view.Proposals[i].ID] = true
	}
	for i := range view.Ended {
		found[view.Ended[i].ID] = true
	}
	var id [32]byte
	matches := 0
	for known := range found {
		if strings.HasPrefix(hex.EncodeToString(known[:]), prefix) {
			id = known
			matches++
		}
	}
	switch matches {
	case 0:
		return id, fmt.Errorf("%w: %s", errNoProposal, prefix)
	case 1:
		return id, nil
	}
	return id, fmt.Errorf("%w: %d proposals begin with %s: give more of the id", errInvalid, matches, prefix)
}
