package consensus

import (
	"bytes"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
)

func TestMirrorKeepsNothingOfALyingPeer(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(3, 2, c.voters()...)
	at := c.converged(1 + 3*3*2)
	bend := func(f func(p []Pulled) []Pulled) *liar {
		return &liar{envelopes: func(from uint64, p []Pulled) []Pulled {
			return f(slices.Clone(p))
		}}
	}
	for name, l := range map[string]*liar{
		"an envelope with a flipped byte": bend(func(p []Pulled) []Pulled {
			p[1].Envelope = bytes.Clone(p[1].Envelope)
			p[1].Envelope[len(p[1].Envelope)-1] ^= 1
			return p
		}),
		"bytes that are no envelope": bend(func(p []Pulled) []Pulled {
			p[0].Envelope = []byte("no envelope")
			return p
		}),
		"two hospitals' envelopes in another order": bend(swapHospitals),
		"another log time": bend(func(p []Pulled) []Pulled {
			p[len(p)-1].LogTime++
			return p
		}),
		"a log time that goes back": bend(func(p []Pulled) []Pulled {
			p[len(p)-1].LogTime = 1
			return p
		}),
		"an envelope left out":                 bend(func(p []Pulled) []Pulled { return p[1:] }),
		"an envelope twice":                    bend(func(p []Pulled) []Pulled { return append(p[:1:1], p...) }),
		"no envelopes under a good checkpoint": bend(func([]Pulled) []Pulled { return nil }),
		"a checkpoint with a false signature": {checkpoint: func(note []byte) []byte {
			sc, err := tlog.ParseSignedCheckpoint(note)
			if err != nil {
				t.Error(err)
			}
			sc.Root[0] ^= 1
			return sc.Marshal()
		}},
		"a checkpoint with too few signatures": {checkpoint: func(note []byte) []byte {
			sc, err := tlog.ParseSignedCheckpoint(note)
			if err != nil {
				t.Error(err)
			}
			sc.Signatures = sc.Signatures[:3]
			return sc.Marshal()
		}},
		"bytes that are no checkpoint": {checkpoint: func([]byte) []byte { return []byte("no checkpoint") }},
		"a huge checkpoint":            {checkpoint: func([]byte) []byte { return make([]byte, maxNoteBytes+1) }},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			const peer = "h1" // the first that a mirror asks
			asked := make(chan struct{}, 1000)
			c.net.lie(peer, counting(l, asked))
			c.dirs["reader"] = t.TempDir()
			c.net.setCut(true, "reader", c.without(peer)...)
			c.open("reader")
			n := c.node("reader")
			for range 2 { // the second time it has dropped what came the first time
				select {
				case <-asked:
				case <-c.ctx.Done():
					t.Fatal("the mirror asks no more: it believed the liar")
				}
			}
			if got := n.View().Envelopes; got != 1 {
				t.Errorf("kept %d envelopes", got)
			}
			if got := n.Checkpoint(); got.Size != 0 {
				t.Errorf("kept a checkpoint at %d", got.Size)
			}
			c.net.setCut(false, "reader", c.without(peer)...)
			c.until("the mirror's copy", func() bool { return n.Checkpoint().Checkpoint == at })
			c.verify(chains)
			c.close(ended(), "reader")
			c.net.lie(peer, nil)
		})
	}
	c.t = t
}

// counting tells of each question to a liar that it bends the answer to.
func counting(l *liar, asked chan<- struct{}) *liar {
	out := *l
	if l.envelopes != nil {
		out.envelopes = func(from uint64, p []Pulled) []Pulled {
			asked <- struct{}{}
			if len(p) < 3 {
				return nil
			}
			return l.envelopes(from, p)
		}
	}
	if l.checkpoint != nil {
		out.checkpoint = func(note []byte) []byte {
			asked <- struct{}{}
			return l.checkpoint(note)
		}
	}
	return &out
}

func TestMirrorGoesOnWhereItStopped(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	c.load(2, 1, c.voters()...)
	c.converged(1 + 3*2)
	c.close(ended(), "reader")
	asked := make(chan uint64, 1000)
	for _, id := range c.voters() {
		c.net.lie(id, &liar{envelopes: func(from uint64, p []Pulled) []Pulled {
			asked <- from
			return p
		}})
	}
	c.open("reader")
	h := c.chain(1)
	h.sequence, h.previous = c.lastOf(h)
	if err := h.run(1, 1, "reader"); err != nil {
		t.Fatal(err)
	}
	c.converged(1 + 3*2 + 1)
	if from := <-asked; from != 1+3*2 {
		t.Errorf("pulled from envelope %d on, want %d", from, 1+3*2)
	}
}

func TestMirrorTurnsToAnotherPeerWhenOneHasNoNews(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(1, 1, c.voters()...)
	at := c.converged(4)
	note := c.node("h1").Checkpoint().Marshal()
	c.net.lie("h1", &liar{checkpoint: func([]byte) []byte { return note }})
	c.continueLoad(chains, 1, 1, c.voters()...)
	if now := c.converged(7); now == at {
		t.Errorf("checkpoint still at %d", at.Size)
	}
}
