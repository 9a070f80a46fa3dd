package integration

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/integration/chaos"
)

// TestNetworkKeepsItsPromisesInChaos breaks the world around real processes in
// ways that [chaosKinds] lists, one or two at a time, while hospitals
// submit. With each fault in force the network must go on; after the last one
// every node has the same log, and every promise is kept.
//
// PROVE=1 makes it at least sixty faults instead of a fifth of the kinds.
// CHAOS_SEED draws the same kinds in the same order again.
func TestNetworkKeepsItsPromisesInChaos(t *testing.T) {
	t.Parallel()
	needsChaos(t)
	if chaos.Inside() == "" {
		if err := enclose(t, t.Output()); err != nil {
			t.Errorf("in the enclosure: %v", err)
		}
		return
	}
	must(t, chaos.Arrive())
	c := newCampaign(t)
	c.run(c.plan(os.Getenv("PROVE") == "1"))
	if t.Failed() {
		return
	}
	c.keepsItsPromises(t)
}

// needsChaos fails or skips a test where nothing can be broken.
func needsChaos(t *testing.T) {
	t.Helper()
	missing := strings.Join(chaos.Missing(), ", ")
	switch {
	case missing == "":
	case os.Getenv("RARESYNC_REQUIRE_ROOT") == "1":
		t.Fatalf("needs %s", missing)
	default:
		t.Skipf("not one fault was tried: this needs %s", missing)
	}
}

// keepsItsPromises looks for everything that was promised during a campaign,
// once all is mended.
func (c *campaign) keepsItsPromises(t *testing.T) {
	c.withoutLost()
	policy := c.policy()
	c.report(t, c.converged(t))

	t.Run("every node has the same log under a valid checkpoint", c.sameLog)
	t.Run("every promised entry is in the log exactly once", func(t *testing.T) {
		for _, fault := range broken(c.load.promised(), c.with(t).entries(c.Reader)) {
			t.Error(fault)
		}
	})
	leaves := c.leaves(c.Reader)
	must(t, c.Stop())
	t.Run("every receipt taken meanwhile verifies offline", func(t *testing.T) { c.receiptsVerify(t, policy, leaves) })
	t.Run("every node's copy verifies offline", func(t *testing.T) {
		n := c.with(t)
		for _, p := range n.Processes() {
			if _, errs, code := n.run("log", "verify", "--policy", policy, p.Dir); code != 0 {
				t.Errorf("%s: exit %d: %s", p.Node, code, errs)
			}
		}
	})
}

// converged waits until all nodes that are left are equal.
func (c *campaign) converged(t *testing.T) admin.Status {
	t.Helper()
	n := c.with(t)
	var cancel context.CancelFunc
	n.ctx, cancel = context.WithTimeout(c.ctx, c.stall)
	defer cancel()
	return n.converge()
}

// enclose runs the test that calls it in an enclosure; out gets what it prints.
func enclose(t *testing.T, out io.Writer) error {
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	args := []string{"-test.v", "-test.run", "^" + t.Name() + "$"}
	if deadline, ok := t.Deadline(); ok {
		args = append(args, "-test.timeout", time.Until(deadline).String())
	}
	return chaos.Enclose(ctx, out, args...)
}

// withoutLost leaves out the nodes that rule 12 keeps out.
func (c *campaign) withoutLost() {
	c.Hospitals = slices.DeleteFunc(c.Hospitals, func(p *demo.Process) bool {
		return slices.ContainsFunc(c.members, func(m *member) bool { return m.Process == p && m.lost })
	})
}

// byCommand is how many receipts are verified by the command as well.
const byCommand = 50

// receiptsVerify verifies every receipt with the policy alone, and compares
// what it proves with the log at the end.
func (c *campaign) receiptsVerify(t *testing.T, policyPath string, leaves []admin.Leaf) {
	raw, err := os.ReadFile(policyPath)
	must(t, err)
	policy, err := tlog.ParsePolicy(raw)
	must(t, err)
	receipts := c.load.receipts()
	if len(receipts) < byCommand {
		t.Fatalf("only %d receipts to verify", len(receipts))
	}
	for _, r := range receipts {
		proven, err := audit.Receipt(nil, []byte(r.proof), policy)
		if err != nil {
			t.Errorf("receipt of entry %d: %v", r.index, err)
			continue
		}
		sameLeaf(t, proven, r.index, leaves)
	}
	n, path := c.with(t), filepath.Join(c.Dir, "receipt.txt")
	for i := range byCommand {
		r := receipts[i*len(receipts)/byCommand]
		must(t, os.WriteFile(path, []byte(r.proof), 0o600))
		out, errs, code := n.run("log", "verify", "-o", "json", "--policy", policyPath, "--proof", path)
		if code != 0 {
			t.Fatalf("receipt of entry %d: exit %d: %s", r.index, code, errs)
		}
		var proven audit.Proven
		must(t, json.Unmarshal(out, &proven))
		sameLeaf(t, &proven, r.index, leaves)
	}
}

func sameLeaf(t *testing.T, proven *audit.Proven, index uint64, leaves []admin.Leaf) {
	t.Helper()
	leaf := leaves[index]
	if proven.Index != index || proven.Commitment != leaf.Commitment || proven.Envelope != leaf.Envelope || proven.Place != leaf.Place {
		t.Errorf("receipt of entry %d proves %+v, the log has %+v", index, proven, leaf)
	}
}
