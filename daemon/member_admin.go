package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

// raftPeers lists the Raft configuration beside what the roster says.
func (s *service) raftPeers(*http.Request) ([]admin.RaftPeer, error) {
	servers, err := s.node.RaftServers()
	if err != nil {
		return nil, err
	}
	view, leader := s.node.View(), s.node.Status().Leader
	out := []admin.RaftPeer{}
	for _, one := range servers {
		p := admin.RaftPeer{Node: one.Node, Votes: one.Votes, Roster: "removed", Leads: one.Node == leader}
		if n, ok := view.Node(one.Node); ok {
			p.Roster = n.Kind.String()
		}
		out = append(out, p)
	}
	return out, nil
}

// transfer hands the leadership over.
func (s *service) transfer(r *http.Request) (admin.Status, error) {
	var in admin.Transfer
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Status{}, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	err := s.node.CheckTransfer(in.To)
	if err == nil && !in.DryRun {
		err = s.node.Transfer(r.Context(), in.To)
	}
	if err != nil {
		return admin.Status{}, err
	}
	return s.status(r)
}

func (s *service) settings(*http.Request) (admin.Settings, error) {
	view := s.node.View()
	p := view.Policy
	return admin.Settings{
		Q: view.Quorum, MinCell: p.MinCell, QuotaFloor: p.QuotaFloor, ReaderOverlap: p.ReaderOverlap,
		SpreadHours: p.InForce().SpreadHours, DeclareMinutes: p.InForce().DeclareMinutes, SaltsDays: p.InForce().SaltsDays, LeastQuota: p.InForce().LeastQuota,
		Payload: act.Settings{Quorum: view.Quorum, Policy: p}.Marshal(),
	}, nil
}

// leave takes this institution, or one node of it, out of the network.
func (s *service) leave(r *http.Request) (admin.Left, error) {
	var in admin.Leaving
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Left{}, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	d := act.Removal{Institution: s.self.Institution, Node: in.Node}
	a := act.Act{Version: act.Version, Type: act.TypeRemoval, Payload: d.Marshal()}
	out := admin.Left{Institution: s.self.Institution, Name: institutionName(s.node.View(), s.self.Institution), Nodes: s.leavingNodes(in.Node)}
	return out, s.decideOwn(r, a, in.DryRun, "leave")
}

func (s *service) leavingNodes(node string) []string {
	out := []string{}
	for _, n := range s.node.View().Nodes {
		if n.Institution == s.self.Institution && (node == "" || n.ID == node) {
			out = append(out, n.ID)
		}
	}
	return out
}

// enrol gives this institution one more node.
func (s *service) enrol(r *http.Request) (admin.Enrolled, error) {
	var in admin.Enrolment
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Enrolled{}, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	d, err := act.DecodeEnrolment(in.Payload)
	if err != nil {
		return admin.Enrolled{}, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if d.Node.Institution != s.self.Institution {
		return admin.Enrolled{}, fmt.Errorf("%w: node %q is of institution %d, and this is %d: lead hospitals approve it", errInvalid,
			d.Node.ID, d.Node.Institution, s.self.Institution)
	}
	a := act.Act{Version: act.Version, Type: act.TypeEnrolment, Payload: in.Payload}
	return admin.Enrolled{Node: d.Node.ID, Institution: s.self.Institution}, s.decideOwn(r, a, in.DryRun, "give this institution a node")
}

// decideOwn posts an act that this institution decides about itself, or only says
// whether the network would take it.
func (s *service) decideOwn(r *http.Request, a act.Act, dryRun bool, what string) error {
	view, now := s.now()
	if refusal := view.CheckAct(&a, now); refusal != nil {
		return fmt.Errorf("%w: %w", errRefused, refusal)
	}
	if err := s.checkQuorumLeft(view, &a); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if dryRun {
		return nil
	}
	if err := s.postAct(r.Context(), a); err != nil {
		return unposted(what, err)
	}
	return nil
}
