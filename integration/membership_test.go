package integration

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
)

// decideTogether proposes with a command at a node and has so many hospitals as it needs,
// of those given, approve it.
func (n *network) decideTogether(by []*demo.Process, command ...string) {
	n.t.Helper()
	var p admin.Proposal
	n.eventually(strings.Join(command, " "), func() error {
		out, errs, code := n.run(append(command, "-o", "json", "-c", by[0].Config())...)
		if code != 0 {
			return fmt.Errorf("exit code %d: %s", code, errs)
		}
		return json.Unmarshal(out, &p)
	})
	for _, h := range by[:p.Needed] {
		if a := n.approve(h, p.ID); a.Proposal.State == "fulfilled" {
			return
		}
	}
	n.t.Fatalf("%v is not in force after %d approvals", command, p.Needed)
}

// wantVoters waits until Raft counts on these nodes alone, and each of them says
// that it is ready.
func (n *network) wantVoters(want ...*demo.Process) {
	n.t.Helper()
	var ids []string
	for _, p := range want {
		ids = append(ids, p.Node)
	}
	slices.Sort(ids)
	n.eventually("voters "+strings.Join(ids, " "), func() error {
		for _, p := range want {
			peers, err := p.Client.RaftPeers(n.ctx)
			if err != nil {
				return err
			}
			var got []string
			for _, one := range peers {
				if one.Votes {
					got = append(got, one.Node)
				}
			}
			if !slices.Equal(got, ids) {
				return fmt.Errorf("%s knows %v", p.Node, peers)
			}
			if s, err := p.Client.Status(n.ctx); err != nil || !s.Ready || s.Kind != "voter" {
				return fmt.Errorf("%s is a %s, ready %v (%s), %v", p.Node, s.Kind, s.Ready, s.Why, err)
			}
		}
		return nil
	})
}

// wantRefused waits until no node has a session with one that was removed.
func (n *network) wantRefused(gone string, others []*demo.Process) {
	n.t.Helper()
	n.eventually("all to refuse "+gone, func() error {
		for _, p := range others {
			s, err := p.Client.Status(n.ctx)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(s.Peers, func(one admin.Peer) bool { return one.Node == gone }) {
				return fmt.Errorf("%s still has a session with it", p.Node)
			}
		}
		return nil
	})
}

// wantReceipts verifies a receipt of every entry with the policy of the voters that
// there are now.
func (n *network) wantReceipts() {
	n.t.Helper()
	text, err := n.Reader.Client.Policy(n.ctx)
	must(n.t, err)
	policy, err := tlog.ParsePolicy([]byte(text))
	must(n.t, err)
	for _, leaf := range n.leaves(n.Reader) {
		proof, err := n.Reader.Client.Prove(n.ctx, leaf.Index)
		must(n.t, err)
		raw, err := hex.DecodeString(proof.Leaf)
		must(n.t, err)
		if _, _, err := tlog.VerifyReceipt(raw, []byte(proof.Proof), policy); err != nil {
			n.t.Errorf("receipt of entry %d: %v", leaf.Index, err)
		}
	}
}

// wantCopiesVerify checks the copies of some nodes offline, from the genesis on.
func (n *network) wantCopiesVerify(some []*demo.Process) {
	n.t.Helper()
	policy := n.policy()
	for _, p := range some {
		must(n.t, p.Stop())
		if out, errs, code := n.run("log", "verify", "--policy", policy, p.Dir); code != 0 {
			n.t.Errorf("log verify of %s: exit code %d\n%s%s", p.Node, code, out, errs)
		}
	}
}

// TestALostVoterIsReplacedAndAHospitalRemoved loses a voter of three, has a hospital
// that can only dial out take its place, rebuilds the lost machine, removes another
// hospital from the network, makes a voter a mirror, and sees a hospital leave.
func TestALostVoterIsReplacedAndAHospitalRemoved(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 5, 3)
	h := n.Hospitals
	visits := madeUpVisits(t, 6, 5)
	n.register(visits[:len(visits)/2])
	n.converge()
	must(t, h[2].Kill())
	n.decideTogether([]*demo.Process{h[0], h[1], h[4]}, "member", "promote", "h4", "--in-place-of", "h3", "--reason", "its disk failed")
	voters := []*demo.Process{h[0], h[1], h[3]}
	n.wantVoters(voters...)
	anew := n.rebuilt(h[2], voters)

	n.decideTogether([]*demo.Process{h[0], h[1], h[3]}, "member", "remove", "5")
	began := time.Now()
	n.wantRefused("h5", append(voters, n.Reader))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("refused everywhere after %v", took)
	}
	if _, errs, code := n.run("entry", "count", "-c", h[4].Config()); code != 0 {
		t.Errorf("a removed hospital does not see its own: exit code %d\n%s", code, errs)
	}
	rest := visits[len(visits)/2:]
	rest = slices.DeleteFunc(rest, func(v visit) bool { return v.hospital == 2 || v.hospital == 4 })
	n.register(rest)
	n.settles(voters)
	n.decideTogether(voters, "member", "demote", "h4")
	n.wantVoters(h[0], h[1])
	n.convergeOf([]*demo.Process{h[0], h[1], h[3], anew, n.Reader})
	n.ok("leave", "--yes", "-c", anew.Config())
	left := []*demo.Process{h[0], h[1], h[3], n.Reader}
	n.wantRefused(anew.Node, left)
	n.convergeOf(left)
	n.wantReceipts()
	n.wantCopiesVerify([]*demo.Process{h[3], n.Reader})
}

// lateHospital adds a hospital with an address to a network that runs.
func (n *network) lateHospital(id string, number int) *demo.Process {
	n.t.Helper()
	address, err := demo.FreeAddress()
	must(n.t, err)
	return n.lateHospitalAt(address, id, number, nil)
}

// lateHospitalAt is lateHospital with an address of the caller's own, and with
// what the node is to run within.
func (n *network) lateHospitalAt(address, id string, number int, within func(func() error) error) *demo.Process {
	n.t.Helper()
	dir := filepath.Join(n.Dir, id)
	if _, errs, code := n.run("init", dir, "--id", id, "--entity", "late-"+id, "--name-zh", "新医院", "--province", "51", "--kind", "mirror",
		"--listen", address, "--address", address); code != 0 {
		n.t.Fatalf("init %s: exit code %d\n%s", id, code, errs)
	}
	config := filepath.Join(dir, "raresync.toml")
	if _, errs, code := n.run("found", "adopt", "--newcomer", filepath.Join(n.Hospitals[0].Dir, "genesis.pem"), "-c", config); code != 0 {
		n.t.Fatalf("adopt at %s: exit code %d\n%s", id, code, errs)
	}
	p, err := demo.Open(n.Binary, id, dir)
	must(n.t, err)
	p.Number, p.Within = uint32(number), within
	must(n.t, p.Start())
	n.t.Cleanup(func() { _ = p.Kill() })
	return p
}

// TestANetworkGrowsLosesAndShrinks goes from three voters to five and back: two
// hospitals join and vote, a voter dies and is replaced, another is demoted, a
// hospital is removed, all under load.
func TestANetworkGrowsLosesAndShrinks(t *testing.T) {
	t.Parallel()
	if os.Getenv("PROVE") != "1" {
		t.Skip("several minutes: set PROVE=1; TestALostVoterIsReplacedAndAHospitalRemoved is its short form")
	}
	n := newNetwork(t, 4, 3)
	h := n.Hospitals
	visits := madeUpVisits(t, 60, 4)
	chunk := len(visits) / 6
	part := func(i int, without ...int) {
		n.register(slices.DeleteFunc(slices.Clone(visits[i*chunk:(i+1)*chunk]), func(v visit) bool { return slices.Contains(without, v.hospital) }))
	}
	part(0)
	five, six := n.lateHospital("h6", 6), n.lateHospital("h7", 7)
	n.decideTogether(h, "act", "propose", "admission", filepath.Join(five.Dir, "card.pem"))
	n.decideTogether(h, "act", "propose", "admission", filepath.Join(six.Dir, "card.pem"))
	n.decideTogether(h, "member", "promote", "h6")
	part(1)
	n.wantVoters(h[0], h[1], h[2], five)
	n.decideTogether(h, "member", "promote", "h7")
	n.wantVoters(h[0], h[1], h[2], five, six)
	part(2)

	must(t, h[2].Kill())
	n.decideTogether([]*demo.Process{h[0], h[1], h[3]}, "member", "promote", "h4", "--in-place-of", "h3")
	n.wantVoters(h[0], h[1], five, six, h[3])
	part(3, 2)
	must(t, h[2].Start()) // it was a voter when it died, and finds its way back as a mirror
	n.eventually("h3 to be a mirror", func() error {
		s, err := h[2].Client.Status(n.ctx)
		if err == nil && (s.Kind != "mirror" || !s.Ready) {
			err = fmt.Errorf("a %s, %s", s.Kind, s.Why)
		}
		return err
	})
	part(4)
	n.decideTogether(h[:3], "member", "demote", "h7")
	n.wantVoters(h[0], h[1], five, h[3])
	n.decideTogether(h[:3], "member", "remove", strconv.Itoa(6))
	n.wantVoters(h[0], h[1], h[3])
	began := time.Now()
	others := []*demo.Process{h[0], h[1], h[2], h[3], six, n.Reader}
	n.wantRefused("h6", others)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("refused everywhere after %v", took)
	}
	part(5)
	if _, errs, code := n.run("leave", "--yes", "-c", six.Config()); code != 0 {
		t.Errorf("leave: exit code %d\n%s", code, errs)
	}
	others = []*demo.Process{h[0], h[1], h[2], h[3], n.Reader}
	n.wantRefused("h7", others)
	n.convergeOf(others)
	n.wantReceipts()
	n.wantCopiesVerify(others)
}
