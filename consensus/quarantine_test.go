package consensus

import (
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
)

// forge signs a checkpoint as the leader and a majority of three voters would.
func (c *cluster) forge(cp tlog.Checkpoint) []byte {
	c.t.Helper()
	sc := tlog.SignedCheckpoint{Checkpoint: cp}
	for i, m := range c.founded.Hospitals[:2] {
		s, err := newSigner(Config{Self: m.Node, Log: m.Log, Cosign: m.Cosign, Dir: c.t.TempDir()}, c.genesis)
		if err != nil {
			c.t.Fatal(err)
		}
		if i == 0 {
			sig, err := s.signLog(c.genesis, m.Node, cp)
			if err != nil {
				c.t.Fatal(err)
			}
			sc.Signatures = append(sc.Signatures, sig)
		}
		sigs, err := s.cosign.Cosign(cp, 1)
		if err != nil {
			c.t.Fatal(err)
		}
		sc.Signatures = append(sc.Signatures, sigs...)
	}
	return sc.Marshal()
}

func TestNodeThatDiffersFromTheMajorityIsQuarantined(t *testing.T) {
	for name, tc := range map[string]struct {
		id   string
		size uint64
	}{
		"a voter, of a size it has":     {"h3", 4},
		"a voter, of a size to come":    {"h3", 5},
		"a mirror, of a size it has":    {"reader", 4},
		"a mirror, of a smaller size":   {"reader", 3},
		"a voter, of an old small size": {"h3", 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.open(c.ids...)
			chains := c.load(1, 1, c.leader())
			c.converged(4)
			c.mayFail()
			n := c.node(tc.id)
			err := n.HandleAnnounce(c.forge(tlog.Checkpoint{Origin: Origin(c.genesis), Size: tc.size, Root: tlog.Hash{1}}))
			if tc.size > 4 {
				if err != nil {
					t.Fatal(err)
				}
				h := chains[0]
				if err := h.run(1, 1, c.without(tc.id)...); err != nil {
					t.Fatal(err)
				}
			} else if !errors.Is(err, ErrQuarantined) {
				t.Errorf("announced: %v, want %v", err, ErrQuarantined)
			}
			if err := <-c.fatal[tc.id]; !errors.Is(err, ErrQuarantined) || !errors.Is(err, ErrRootDiffers) {
				t.Errorf("stopped with %v", err)
			}
			if _, _, err := n.Receipt(1); !errors.Is(err, ErrQuarantined) {
				t.Errorf("receipt in quarantine: %v", err)
			}
			if _, err := n.HandleEnvelopes(0); !errors.Is(err, ErrQuarantined) {
				t.Errorf("envelopes in quarantine: %v", err)
			}
			c.close(ended(), tc.id)
			c.staysShut(tc.id)
		})
	}
}

func TestLeaderThatAMajorityContradictsIsQuarantined(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	leader := c.leader()
	c.converged(1)
	c.mayFail()
	for _, id := range c.without(leader) {
		c.net.lie(id, &liar{cosign: func(Proposal, []tlog.NoteSignature, error) ([]tlog.NoteSignature, error) {
			return nil, ErrRootDiffers
		}})
	}
	h := c.chain(1)
	raw := h.next(1).Marshal()
	if _, err := c.node(leader).Submit(c.ctx, raw); err != nil {
		t.Log(err) // it may stop before it answers
	}
	if err := <-c.fatal[leader]; !errors.Is(err, ErrQuarantined) {
		t.Errorf("stopped with %v", err)
	}
	c.close(ended(), leader)
	c.staysShut(leader)
}

func TestWrongGenesisDoesNotQuarantine(t *testing.T) {
	c, other := newCluster(t, 3), newCluster(t, 5)
	c.open("reader")
	c.close(t.Context(), "reader")
	cfg := c.config("reader")
	cfg.Genesis = other.founded.Genesis
	if _, err := Open(cfg); err == nil || errors.Is(err, ErrQuarantined) {
		t.Fatalf("open with another network's genesis: %v", err)
	}
	c.open("reader")
}
