package integration

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// rebuilt gives the institution of a node that is lost with everything another one,
// first as a copy of the log and then with keys of its own, and takes the lost one out.
func (n *network) rebuilt(lost *demo.Process, by []*demo.Process) *demo.Process {
	n.t.Helper()
	id, number, genesis := lost.Node+"b", fmt.Sprint(lost.Number), filepath.Join(by[0].Dir, "genesis.pem")
	dir := n.pathOf(id)
	n.ok("init", dir, "--id", id, "--kind", "mirror", "--entity", "demo-hospital-"+number, "--name-zh", "演示医院"+number, "--province", "44")
	p, err := demo.Open(n.Binary, id, dir)
	must(n.t, err)
	p.Number = lost.Number
	n.decideTogether(by, "act", "propose", "node", filepath.Join(dir, "card.pem"), "--institution", number)
	n.ok("found", "adopt", "--newcomer", genesis, "-c", p.Config())
	must(n.t, p.Start())
	n.t.Cleanup(func() { _ = p.Kill() })
	n.eventually(id+" to copy the log and miss its keys", func() error {
		s, err := p.Client.Status(n.ctx)
		if err == nil && (!s.Ready || s.Hospital != lost.Number || !strings.Contains(strings.Join(s.Warnings, "\n"), "by another envelope key")) {
			err = fmt.Errorf("institution %d, ready %v (%s), warnings %q", s.Hospital, s.Ready, s.Why, s.Warnings)
		}
		return err
	})
	must(n.t, p.Stop())
	keys := n.pathOf(id + "-replacement.pem")
	n.ok("key", "rotate", "--lost", "--institution", number, "--genesis", genesis, "-f", keys, "-c", p.Config())
	n.decideTogether(by, "act", "propose", "replacement", keys)
	n.decideTogether(by, "member", "remove", number, "--node", lost.Node)
	must(n.t, p.Start())
	must(n.t, p.WaitReady(n.ctx))
	v := madeUpVisits(n.t, 7, 1)[6]
	must(n.t, n.submit(p, []*visit{&v}))
	if v.result.Outcome != "accepted" {
		n.t.Errorf("at %s: %+v", id, v.result)
	}
	return p
}

// settles has lead hospitals change what the network goes by, and the leader hand
// over to another voter.
func (n *network) settles(by []*demo.Process) {
	n.t.Helper()
	n.decideTogether(by, "act", "propose", "settings", "--q", "2", "--quota", "1=20000", "--reason", "a smaller network")
	n.decideTogether(by, "act", "propose", "rights", fmt.Sprint(n.Reader.Number), "--rights", "national")
	n.eventually("the coordinator to know both", func() error {
		s, err := n.Reader.Client.Status(n.ctx)
		if err != nil {
			return err
		}
		members, err := n.Reader.Client.Members(n.ctx)
		if err != nil {
			return err
		}
		if rights := members[n.Reader.Number-1].Rights; rights != "national" || !strings.Contains(s.Policy, "q=2 ") {
			return fmt.Errorf("it goes by %q, with rights %q", s.Policy, rights)
		}
		return nil
	})
	old := n.leader()
	to := by[slices.IndexFunc(by, func(p *demo.Process) bool { return p != old })]
	n.ok("raft", "transfer", to.Node, "-c", old.Config())
	n.eventually(to.Node+" to lead", func() error {
		s, err := to.Client.Status(n.ctx)
		if err == nil && s.Leader != to.Node {
			err = fmt.Errorf("%s leads", s.Leader)
		}
		return err
	})
	if said := n.ok("raft", "peers", "-c", to.Config()); !strings.Contains(said, to.Node) {
		n.t.Errorf("raft peers:\n%s", said)
	}
}
