package integration

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// TestACopyOfANodeIsStartedBesideIt copies the data directory of a mirror, then
// of a voter, and starts the copy on ports of its own while the original runs.
// Both must stop, and nobody else.
func TestACopyOfANodeIsStartedBesideIt(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 4, 3)
	visits := madeUpVisits(t, 24, 4)
	n.register(visits[:8])
	n.converge()
	voter, mirror := n.Hospitals[2], n.Hospitals[3]

	n.runsTwice(t, mirror, 75)
	must(t, mirror.Start()) // its copy is gone for good
	must(t, mirror.WaitReady(n.ctx))
	n.register(visits[8:16])
	n.converge()

	n.runsTwice(t, voter, 74)
	rest := slices.DeleteFunc(n.Processes(), func(p *demo.Process) bool { return p == voter })
	n.register(slices.DeleteFunc(visits[16:], func(v visit) bool { return n.Hospitals[v.hospital] == voter }))
	s := n.convergeOf(rest)
	if leader, err := n.leader().Client.Status(n.ctx); err != nil || !slices.Contains(leader.Warnings, "two instances of h3 have run at once: both are refused until it is started anew") {
		t.Errorf("the leader warns of %q, %v", leader.Warnings, err)
	}
	t.Logf("the others have %d entries, root %.16s", s.Size, s.Root)
	for _, p := range rest {
		if p.Node != mirror.Node && slices.Contains(stopped(t, p), true) {
			t.Errorf("%s was stopped too", p.Node)
		}
	}
	if _, errs, code := n.run("serve", "--config", voter.Config()); code != 74 || !strings.Contains(string(errs), "another instance") {
		t.Errorf("the voter, started again: exit %d: %s; want 74, since its twin may have voted", code, errs)
	}
}

// stopped returns, for each line of a node's log, whether it tells that the
// node was stopped for a twin.
func stopped(t *testing.T, p *demo.Process) (lines []bool) {
	t.Helper()
	raw, err := os.ReadFile(p.Log())
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		lines = append(lines, strings.Contains(line, "another instance of this node"))
	}
	return lines
}

// runsTwice starts a copy of a node beside it and wants the given exit code of
// the copy, and the end of the original for the same reason.
func (n *network) runsTwice(t *testing.T, p *demo.Process, code int) {
	t.Helper()
	twin := p.Dir + "-twin"
	must(t, p.Stop()) // a copy of a running node's files would be no whole one
	must(t, system("cp", "-a", p.Dir, twin))
	must(t, p.Start())
	must(t, p.WaitReady(n.ctx))
	path := filepath.Join(twin, "raresync.toml")
	raw, err := os.ReadFile(path)
	must(t, err)
	raw = regexp.MustCompile(`(?m)^node = ".*"$`).ReplaceAll(raw, []byte(`node = "127.0.0.1:0"`))
	must(t, os.WriteFile(path, raw, 0o600))

	began := time.Now()
	if _, errs, got := n.run("serve", "--config", path); got != code || !strings.Contains(string(errs), "another instance of this node is running") {
		t.Errorf("the copy of %s: exit %d: %s; want %d", p.Node, got, errs, code)
	}
	n.eventually("the end of "+p.Node, func() error {
		if p.Running() {
			return errors.New("it runs")
		}
		return nil
	})
	t.Logf("%s and its copy stopped %v after the copy was started", p.Node, time.Since(began).Round(time.Millisecond))
	if !slices.Contains(stopped(t, p), true) {
		t.Errorf("%s stopped for another reason: see %s", p.Node, p.Log())
	}
}
