package integration

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/crypto/tlog"
)

// ok runs a command of the program that must succeed, and returns what it said.
func (n *network) ok(args ...string) string {
	n.t.Helper()
	out, errs, code := n.run(args...)
	if code != 0 {
		n.t.Fatalf("%v: exit code %d\n%s%s", args, code, out, errs)
	}
	return string(out) + string(errs)
}

// refused runs a command that must fail with an exit code, and say why.
func (n *network) refused(code int, says string, args ...string) {
	n.t.Helper()
	out, errs, got := n.run(args...)
	if got != code || !strings.Contains(string(errs), says) {
		n.t.Errorf("%v: exit code %d, want %d with %q\n%s%s", args, got, code, says, out, errs)
	}
}

// pathOf is a path in the network's folder.
func (n *network) pathOf(name string) string { return filepath.Join(n.Dir, name) }

// survey has a stopped node write what it holds.
func (n *network) survey(p *demo.Process) string {
	n.t.Helper()
	path := n.pathOf("survey-" + p.Node + ".pem")
	n.ok("raft", "recover", "survey", "-f", path, "-c", p.Config())
	return path
}

// approved has hospitals approve a recovery's draft, and finishes it at the first.
func (n *network) approved(draft, file string, by ...*demo.Process) {
	n.t.Helper()
	args := []string{"raft", "recover", "finish", draft}
	for _, p := range by {
		path := n.pathOf(fmt.Sprintf("%s-%d.pem", filepath.Base(file), p.Number))
		n.ok("raft", "recover", "approve", "--yes", draft, "-f", path, "-c", p.Config())
		args = append(args, path)
	}
	n.ok(append(args, "-f", file, "-c", by[0].Config())...)
}

// proof writes the receipt of an entry as a node has it.
func (n *network) proof(p *demo.Process, index uint64, name string) string {
	n.t.Helper()
	path := n.pathOf(name)
	n.ok("log", "prove", strconv.FormatUint(index, 10), "-f", path, "-c", p.Config())
	return path
}

// TestANetworkThatLostItsMajorityGoesOn loses two of three voters for good, the one
// that is left without the last that was acknowledged. The network goes on from its
// copy with a mirror as the second voter; what was lost is named, and the lost come to
// nothing when they come back.
func TestANetworkThatLostItsMajorityGoesOn(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 5, 3)
	h := n.Hospitals
	visits := madeUpVisits(t, 9, 5)
	third := len(visits) / 3
	n.register(visits[:third])
	key, saved := n.pathOf("offline.key"), n.pathOf("backup.tar")
	recipient, _, _ := n.run("backup", "key", key)
	n.ok("backup", "save", saved, "--with-salts", "--to", strings.TrimSpace(string(recipient)), "-c", h[4].Config())
	before := n.converge()
	kept := n.proof(n.Reader, 3, "kept.tlog-proof")
	oldPolicy := n.pathOf("old-policy.txt")
	must(t, os.Rename(n.policy(), oldPolicy))
	left := []*demo.Process{h[0], h[3], h[4], n.Reader}
	n.refused(75, "in use", "raft", "recover", "survey", "-f", n.pathOf("running.pem"), "-c", h[0].Config())
	for _, p := range left {
		must(t, p.Stop())
	}
	lostVisit := visits[third : third+1]
	lostVisit[0].hospital = 2
	n.register(lostVisit)
	lostProof := n.proof(h[2], before.Size, "lost.tlog-proof")
	for _, p := range h[1:3] {
		must(t, p.Kill())
	}
	must(t, os.RemoveAll(filepath.Join(h[1].Dir, "node")))

	n.loseLog(h[4]) // of which only a backup is left
	n.ok("backup", "restore", saved, "--identity", key, "-c", h[4].Config())
	var surveys []string
	for _, p := range left {
		surveys = append(surveys, n.survey(p))
	}
	draft := n.pathOf("draft.pem")
	args := append([]string{"raft", "recover", "draft", "-c", h[0].Config(), "--promote", "h4",
		"--receipt", kept, "--receipt", lostProof, "-f", draft}, surveys...)
	said := n.ok(args...)
	for _, want := range []string{
		"kept.tlog-proof: entry 3 is kept", fmt.Sprintf("lost.tlog-proof: entry %d, under a checkpoint", before.Size), "is lost at the recovery",
		"voters from then on: h1, h4", "even if they come back: h2, h3",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the draft does not say %q:\n%s", want, said)
		}
	}
	n.wantDraftsRefused(surveys)

	file := n.pathOf("recovery.pem")
	n.approved(draft, file, h[0], h[1], h[3]) // the second with its keys alone
	n.refused(7, "approvals", "raft", "recover", "finish", draft, n.pathOf("recovery.pem-1.pem"), n.pathOf("recovery.pem-4.pem"), "-f", n.pathOf("few.pem"), "-c", h[0].Config())
	n.refused(6, "answer yes", "raft", "recover", "apply", file, "-c", h[0].Config())
	for _, p := range left {
		n.ok("raft", "recover", "apply", "--yes", file, "-c", p.Config())
	}
	if said := n.ok("raft", "recover", "apply", file, "-c", h[3].Config()); !strings.Contains(said, "already") {
		t.Errorf("applied twice: %s", said)
	}
	for _, p := range left {
		must(t, p.Start())
	}
	n.wantVoters(h[0], h[3])
	rest := visits[third+1:]
	for i := range rest {
		rest[i].hospital = []int{0, 3, 4}[i%3]
		rest[i].file.Identities = nil // two of three shares are lost as well: record numbers alone are left
	}
	n.register(rest)
	after := n.convergeOf(left)
	if after.Size <= before.Size+1 {
		t.Errorf("%d entries after %d", after.Size, before.Size)
	}
	n.wantReceipts()
	n.wantOldReceipt(kept, oldPolicy)

	must(t, h[2].Start()) // it comes back, with what it acknowledged
	n.eventually("h3 to end", func() error {
		if h[2].Running() {
			return fmt.Errorf("it runs")
		}
		return nil
	})
	if h[2].ExitCode() != 74 {
		t.Errorf("h3 ended with exit code %d, want 74", h[2].ExitCode())
	}
	reason, err := os.ReadFile(filepath.Join(h[2].Dir, "node", "QUARANTINE"))
	if err != nil || !strings.Contains(string(reason), "the network went on without this node's copy: log epoch 2 began behind") {
		t.Errorf("h3 is quarantined: %s, %v", reason, err)
	}
	n.wantCopiesVerify([]*demo.Process{h[0], n.Reader})
	n.refused(5, "was lost at the recovery: log epoch 2 began behind", "log", "verify", "--policy", oldPolicy, "--proof", lostProof, n.Reader.Dir)
	n.ok("log", "verify", "--policy", oldPolicy, "--proof", lostProof) // which knows no copy
	n.ok("log", "verify", "--policy", oldPolicy, "--proof", kept, n.Reader.Dir)
}

// wantOldReceipt verifies a receipt of the epoch before with the policy of then.
func (n *network) wantOldReceipt(receipt, policy string) {
	n.t.Helper()
	if said := n.ok("log", "verify", "--policy", policy, "--proof", receipt, "-o", "json"); !strings.Contains(said, "/1\"") {
		n.t.Errorf("a receipt of the epoch before: %s", said)
	}
	kept, err := os.ReadFile(policy)
	must(n.t, err)
	if said := n.ok("log", "policy", "--size", "3", "-c", n.Reader.Config()); said != string(kept) {
		n.t.Errorf("the policy of before is\n%s\nand was\n%s", said, kept)
	}
	text, err := n.Reader.Client.Policy(n.ctx)
	must(n.t, err)
	now, err := tlog.ParsePolicy([]byte(text))
	must(n.t, err)
	proof, err := n.Reader.Client.Prove(n.ctx, 3)
	must(n.t, err)
	leaf, err := hex.DecodeString(proof.Leaf)
	must(n.t, err)
	if _, _, err := tlog.VerifyReceipt(leaf, []byte(proof.Proof), now); err != nil {
		n.t.Errorf("a new receipt of the same entry: %v", err)
	}
}

// wantDraftsRefused tries drafts that must not be made.
func (n *network) wantDraftsRefused(surveys []string) {
	n.t.Helper()
	h := n.Hospitals
	draft := func(p *demo.Process, more ...string) []string {
		return append([]string{"raft", "recover", "draft", "-f", n.pathOf("never.pem"), "-c", p.Config()}, more...)
	}
	raw, err := os.ReadFile(surveys[1])
	must(n.t, err)
	lines := strings.Split(string(raw), "\n")
	other := "A"
	if strings.HasPrefix(lines[3], other) {
		other = "B"
	}
	lines[3] = other + lines[3][1:]
	tampered := n.pathOf("tampered.pem")
	must(n.t, os.WriteFile(tampered, []byte(strings.Join(lines, "\n")), 0o600))
	n.refused(7, "urvey", draft(h[0], surveys[0], tampered)...)
	n.refused(7, "never reach each other", draft(h[0], append(surveys, "--promote", "h4", "--promote", "h5")...)...)
	n.refused(7, "is missing", draft(h[0], surveys[1:]...)...)
	n.refused(7, "there are two of node h4", draft(h[0], append(surveys, surveys[1])...)...)
	n.refused(7, "is no surveyed mirror", draft(h[0], append([]string{"--promote", "h4"}, surveys[0])...)...)
}
