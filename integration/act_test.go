package integration

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// newcomer makes the data directory of a hospital that is in no network, and
// returns its card.
func (n *network) newcomer(id string) string {
	n.t.Helper()
	dir := filepath.Join(n.Dir, id)
	_, errs, code := n.run("init", dir, "--id", id, "--entity", "late-"+id, "--name-zh", "新医院", "--province", "51", "--kind", "mirror")
	if code != 0 {
		n.t.Fatalf("init %s: exit code %d\n%s", id, code, errs)
	}
	return filepath.Join(dir, "card.pem")
}

// propose puts a newcomer's card forward at a node.
func (n *network) propose(p *demo.Process, card string) admin.Proposal {
	n.t.Helper()
	out, errs, code := n.run("act", "propose", "admission", card, "--reason", "joins", "-o", "json", "-c", p.Config())
	var proposed admin.Proposal
	if code != 0 || json.Unmarshal(out, &proposed) != nil || proposed.State != "open" {
		n.t.Fatalf("act propose at %s: exit code %d\n%s%s", p.Node, code, out, errs)
	}
	return proposed
}

// approve approves a proposal at a node, again and again while the node does not
// know it or is away, and returns what became of it.
func (n *network) approve(p *demo.Process, id string) (a admin.Approval) {
	n.t.Helper()
	n.eventually("approve at "+p.Node, func() error {
		out, errs, code := n.run("act", "approve", id, "--yes", "-o", "json", "-c", p.Config())
		if code != 0 {
			return fmt.Errorf("exit code %d: %s", code, errs)
		}
		return json.Unmarshal(out, &a)
	})
	return a
}

// wantMember waits until every node has an institution of a number and name in
// its roster, with a node of an id.
func (n *network) wantMember(some []*demo.Process, number uint32, node string) {
	n.t.Helper()
	n.eventually("member of all rosters", func() error {
		for _, p := range some {
			members, err := p.Client.Members(n.ctx)
			if err != nil {
				return err
			}
			if len(members) != int(number) || members[number-1].NameZH != "新医院" || !slices.Equal(members[number-1].Nodes, []string{node}) {
				return fmt.Errorf("%s has %d members, want %d, the last with node %s", p.Node, len(members), number, node)
			}
		}
		return nil
	})
}

func TestLeadHospitalsDecideTogetherWhoComesIn(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3, 3)
	first := n.propose(n.Hospitals[0], n.newcomer("late1"))
	if first.Needed != 2 || first.Given != 0 || first.Proposer != 1 {
		t.Fatalf("proposed %+v", first)
	}
	if a := n.approve(n.Hospitals[1], first.ID); a.Proposal.State != "open" || a.Proposal.Given != 1 || !a.Signs {
		t.Fatalf("after one approval of two: %+v", a)
	}
	if members, err := n.Hospitals[1].Client.Members(n.ctx); err != nil || len(members) != 4 {
		t.Fatalf("%d members after one approval of two, %v", len(members), err)
	}
	if a := n.approve(n.Hospitals[2], first.ID[:8]); a.Proposal.State != "fulfilled" || !a.Signs {
		t.Fatalf("after the second: %+v", a)
	}
	n.wantMember(n.Processes(), 5, "late1")
	if a := n.approve(n.Hospitals[1], first.ID); a.Proposal.State != "fulfilled" || a.Signs {
		t.Errorf("approved again: %+v", a)
	}
	if _, errs, code := n.run("act", "approve", first.ID, "--yes", "-c", n.Reader.Config()); code != 0 { // there is nothing to sign
		t.Errorf("at the reader: exit code %d\n%s", code, errs)
	}
	n.wantNothingHeldUp()
}

// wantNothingHeldUp checks that refused acts left no envelope behind, and that a
// hospital's files get their receipts.
func (n *network) wantNothingHeldUp() {
	n.t.Helper()
	visits := madeUpVisits(n.t, 3, len(n.Hospitals))
	n.register(visits)
	for _, v := range visits {
		if v.result.Outcome != "accepted" {
			n.t.Errorf("%s: %s", v.file.Name, v.result.Outcome)
		}
	}
	n.converge()
}

func TestApprovalsAtOnceAndACrashDecideOnce(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 4, 3) // three of four have to approve
	mirror := n.Hospitals[3]
	proposed := n.propose(mirror, n.newcomer("late1"))
	if proposed.Needed != 3 {
		t.Fatalf("%d approvals are needed, want 3", proposed.Needed)
	}
	n.eventually("known everywhere", func() error {
		for _, p := range n.Hospitals {
			if _, err := p.Client.Proposal(n.ctx, proposed.ID); err != nil {
				return err
			}
		}
		return nil
	})
	var together sync.WaitGroup
	for _, p := range n.Hospitals {
		together.Go(func() { // the first answers may be refusals: others were faster
			_, _ = p.Client.Approve(n.ctx, proposed.ID, admin.NewApproval{})
		})
	}
	together.Go(func() { _ = mirror.Kill() }) // somewhere in the middle
	together.Wait()
	must(t, mirror.Start())
	for _, p := range n.Hospitals {
		n.eventually("in force", func() error {
			a, err := p.Client.Approve(n.ctx, proposed.ID, admin.NewApproval{})
			if err == nil && a.Proposal.State != "fulfilled" {
				err = fmt.Errorf("%s at %s with %d approvals", a.Proposal.State, p.Node, a.Proposal.Given)
			}
			return err
		})
	}
	n.wantMember(n.Processes(), 6, "late1")
	n.wantNothingHeldUp()
}
