package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
)

// TestLeaderHandsOver stops a leader as a service manager does.
func TestLeaderHandsOver(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3, 3)
	visits := madeUpVisits(t, 6, 3)
	n.register(visits)
	old := n.leader()
	others := n.followers()
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- old.Stop() }()
	var heir string
	n.eventually("another leader", func() error {
		for _, p := range others {
			s, err := p.Client.Status(n.ctx)
			if err != nil || s.Leader == old.Node || s.Leader == "" {
				return errors.Join(err, fmt.Errorf("%s follows %q", p.Node, s.Leader))
			}
			heir = s.Leader
		}
		return nil
	})
	took := time.Since(began)
	t.Logf("%s leads %v after the signal to %s", heir, took.Round(time.Millisecond), old.Node)
	// Without a hand-over the others wait 2 to 4 seconds for a sign of life.
	if took > 1500*time.Millisecond {
		t.Errorf("the next leader came after %v: leadership was not handed over", took)
	}
	if err := <-ended; err != nil {
		t.Errorf("exit of the old leader: %v, want 0", err)
	}
	must(t, old.Start())
	n.converge()

	t.Run("a second daemon on a data directory in use exits 75", func(t *testing.T) {
		n := n.with(t)
		_, errs, code := n.run("serve", "--config", old.Config())
		if code != 75 {
			t.Errorf("exit %d: %s", code, errs)
		}
		ctx, cancel := context.WithTimeout(n.ctx, 5*time.Second)
		defer cancel()
		if err := old.WaitReady(ctx); err != nil {
			t.Errorf("the first daemon: %v", err)
		}
	})
	t.Run("the data directory of another network is refused", func(t *testing.T) { n.otherNetwork(t) })
}

// otherNetwork mixes directories of two networks whose nodes have the same
// names.
func (n *network) otherNetwork(t *testing.T) {
	n = n.with(t)
	text, err := n.Reader.Client.Policy(n.ctx)
	must(t, err)
	policy, err := tlog.ParsePolicy([]byte(text))
	must(t, err)
	must(t, n.Stop())
	for name, tc := range map[string]struct {
		from string // taken from this network into another's directory
		code int
		says string
	}{
		"the file that founded it": {"genesis.pem", 77, "the key file is not that of node"},
		"its copy of the log":      {"node", 74, "of another network than the genesis"},
	} {
		t.Run(name, func(t *testing.T) {
			other := foundNetwork(t, 3, 3)
			other.ctx = n.ctx
			victim := other.Hospitals[0]
			to := filepath.Join(victim.Dir, tc.from)
			must(t, os.RemoveAll(to))
			if tc.from == "node" {
				must(t, os.CopyFS(to, os.DirFS(filepath.Join(n.Hospitals[0].Dir, tc.from))))
			} else {
				raw, err := os.ReadFile(filepath.Join(n.Hospitals[0].Dir, tc.from))
				must(t, err)
				must(t, os.WriteFile(to, raw, 0o600))
			}
			_, errs, code := other.run("serve", "--config", victim.Config())
			if code != tc.code || !bytes.Contains(errs, []byte(tc.says)) {
				t.Errorf("exit %d: %s; want %d: %s", code, errs, tc.code, tc.says)
			}
		})
	}
	must(t, n.Start(n.ctx))
	s := n.converge()
	checkHead(t, "after the restart", n.head(t, n.Reader.Client), policy, s.Size)
}
