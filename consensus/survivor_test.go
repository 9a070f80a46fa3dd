package consensus

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// survivor opens the copy of a node that is stopped.
func (c *cluster) survivor(id string) (*Survivor, error) {
	return OpenSurvivor(SurvivorConfig{Self: id, Dir: c.dirs[id], Genesis: c.founded.Genesis, Logger: slog.New(slog.DiscardHandler)})
}

// survey looks at the copy of a node that is stopped.
func (c *cluster) survey(id string, look func(*Survivor)) {
	c.t.Helper()
	s, err := c.survivor(id)
	if err != nil {
		c.t.Fatalf("%s: %v", id, err)
	}
	look(s)
	if err := s.Close(); err != nil {
		c.t.Fatalf("%s: %v", id, err)
	}
}

// recovery is a draft of an act that goes on from a survivor's copy.
func (c *cluster) recovery(base *Survivor, voters []string, fenced ...string) *act.Recovery {
	c.t.Helper()
	view := base.View()
	index, term := base.Last()
	d := &act.Recovery{
		Epoch: view.LogEpoch + 1, Size: view.Tree.Size(), Root: view.Tree.Root(), Envelopes: view.Envelopes,
		Index: index + 10, Term: term + 2, Fenced: fenced,
	}
	for _, id := range voters {
		key, err := c.member(id).Log.LogKeyOf(c.founded.ID, d.Epoch)
		if err != nil {
			c.t.Fatal(err)
		}
		d.Voters = append(d.Voters, act.EpochVoter{Node: id, Log: key.Public()})
	}
	return d
}

// beginning is what begins the epoch, approved by some hospitals, with the
// envelopes from a number on.
func (c *cluster) beginning(base *Survivor, d *act.Recovery, from uint64, approvers ...*foundingtest.Member) Beginning {
	c.t.Helper()
	view := base.View()
	a := act.Act{Version: act.Version, Type: act.TypeRecovery, RosterVersion: view.RosterVersion, Expiry: view.LogTime + 86_400_000, Payload: d.Marshal()}
	for _, m := range approvers {
		p, err := a.Approve(c.founded.ID, m.Number, m.Envelope)
		if err != nil {
			c.t.Fatal(err)
		}
		a.Approvals = append(a.Approvals, p)
	}
	sender := c.founded.Hospitals[0]
	m, _ := view.Member(sender.Number)
	e, err := envelope.BuildAct(envelope.Link{
		Network: c.founded.ID, Hospital: sender.Number, Sequence: m.Chain.Sequence + 1, Attempt: 1_790_000_000,
		Previous: m.Chain.ID, SignedAt: view.LogTime + 1,
	}, a.Marshal(), sender.Envelope)
	if err != nil {
		c.t.Fatal(err)
	}
	tail, err := base.Envelopes(from)
	if err != nil {
		c.t.Fatal(err)
	}
	return Beginning{Recovery: e, From: from, Tail: tail}
}

// begin begins the epoch on a stopped node.
func (c *cluster) begin(id string, b Beginning) error {
	s, err := c.survivor(id)
	if err != nil {
		return err
	}
	return errors.Join(s.Begin(b), s.Close())
}

// lost is a network of three voters that lost two of them for good, and what was
// sent before: the mirror may lag behind the voter that is left.
func lost(t *testing.T) (c *cluster, chains []*chain, b Beginning, d *act.Recovery) {
	c = newCluster(t, 3)
	c.open(c.ids...)
	chains = c.load(3, 2, c.ids...)
	c.converged(1 + 3*3*2)
	c.close(c.ctx, "reader")
	c.continueLoad(chains, 2, 1, c.voters()...)
	c.converged(1 + 3*3*2 + 3*2)
	c.closeAll()
	must(t, os.Rename(c.dirs["h3"], c.dirs["h3"]+".dead")) // comes back one day
	must(t, os.RemoveAll(c.dirs["h2"]))
	var short uint64
	c.survey("reader", func(s *Survivor) { short = s.View().Envelopes })
	c.survey("h1", func(s *Survivor) {
		if index, term := s.Last(); index == 0 || term == 0 || s.View().Envelopes <= short || s.Checkpoint().Size == 0 {
			t.Errorf("h1 has raft index %d, term %d, %d envelopes, the mirror %d, a checkpoint of %d", index, term, s.View().Envelopes, short, s.Checkpoint().Size)
		}
		must(t, s.Scan(func() {}))
		d = c.recovery(s, []string{"h1", "reader"}, "h2", "h3")
		b = c.beginning(s, d, short, c.founded.Hospitals[:2]...)
	})
	return c, chains, b, d
}

func TestANetworkThatLostItsMajorityGoesOnInANewEpoch(t *testing.T) {
	c, chains, b, d := lost(t)
	must(t, ledger.WriteFileDurable(filepath.Join(c.dirs["reader"], restoredFile), nil)) // it came from a backup
	for _, id := range []string{"h1", "reader"} {
		if err := c.begin(id, b); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if err := c.begin(id, b); !errors.Is(err, ErrBegun) {
			t.Errorf("%s, a second time: %v", id, err)
		}
	}
	c.open("h1", "reader")
	if at := c.converged(d.Size + 1); at.Origin != "test.example/network/2" {
		t.Errorf("the checkpoint is of %q", at.Origin)
	}
	c.resume(chains)
	c.continueLoad(chains[:2], 2, 2, "h1", "reader")
	c.converged(d.Size + 1 + 2*2*2)
	c.verify(chains)
	n := c.node("reader")
	view := n.View()
	if got := votersIn(view, d.Size); !slices.Equal(got, []string{"h1", "h2", "h3"}) {
		t.Errorf("voters at the cut: %v", got)
	}
	if got := votersIn(view, d.Size+1); !slices.Equal(got, []string{"h1", "reader"}) {
		t.Errorf("voters behind it: %v", got)
	}
	c.wantServersOf("h1", "h1", "reader")
	c.close(c.ctx, "h1", "reader") // a restart finds it as it was
	c.open("h1", "reader")
	c.continueLoad(chains[:1], 1, 1, "h1")
	c.converged(d.Size + 1 + 2*2*2 + 1)
}

func votersIn(view *state.State, size uint64) (ids []string) {
	for _, v := range view.VotersAt(size) {
		ids = append(ids, v.ID)
	}
	return ids
}

func (c *cluster) wantServersOf(id string, want ...string) {
	c.t.Helper()
	servers, err := c.node(id).RaftServers()
	if err != nil {
		c.t.Fatal(err)
	}
	var got []string
	for _, s := range servers {
		got = append(got, s.Node)
	}
	if !slices.Equal(got, want) {
		c.t.Errorf("raft counts on %v, want %v", got, want)
	}
}

// A checkpoint of the epoch before stays what it was, up to the cut; one that a
// majority of then signs beyond it is of no log.
func TestCheckpointsOfTheEpochBeforeAreValidUpToTheCut(t *testing.T) {
	c, _, b, d := lost(t)
	var before tlog.SignedCheckpoint
	c.survey("h1", func(s *Survivor) { before = s.Checkpoint() })
	must(t, c.begin("h1", b))
	c.survey("h1", func(s *Survivor) {
		policy, err := s.Policy(before.Size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Verify(before); err != nil {
			t.Errorf("a checkpoint of %d entries, the cut is at %d: %v", before.Size, d.Size, err)
		}
		old, err := tlog.ParseSignedCheckpoint(c.forge(tlog.Checkpoint{Origin: before.Origin, Size: d.Size + 3, Root: tlog.Hash{1}}))
		if err != nil {
			t.Fatal(err)
		}
		if policy, err = s.Policy(old.Size); err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Verify(old); err == nil {
			t.Error("a checkpoint of the epoch before is valid beyond the cut")
		}
		if got := s.View().EpochAt(d.Size); got != 1 {
			t.Errorf("the cut is of epoch %d", got)
		}
	})
}

func TestWhatDoesNotFitTheCopyIsRefusedByName(t *testing.T) {
	c, _, b, d := lost(t)
	leads := c.founded.Hospitals
	other := foundingtest.New(t, 3)
	for name, tc := range map[string]struct {
		id   string
		make func(base *Survivor) Beginning
		want string
	}{
		"one approval":  {"h1", func(s *Survivor) Beginning { return c.beginning(s, d, 0, leads[0]) }, "1 approvals of 2"},
		"by a reader":   {"h1", func(s *Survivor) Beginning { return c.beginning(s, d, 0, leads[0], c.founded.Reader) }, "no lead hospital"},
		"another key's": {"h1", func(s *Survivor) Beginning { return c.beginning(s, d, 0, leads[0], other.Hospitals[1]) }, "approval by 2"},
		"another network's": {"h1", func(*Survivor) Beginning {
			raw, err := envelope.BuildAct(envelope.Link{Network: other.ID, Hospital: 1, Sequence: 9, Attempt: 1, SignedAt: 1},
				(&act.Act{Version: 1, Type: act.TypeRecovery, Payload: d.Marshal()}).Marshal(), other.Hospitals[0].Envelope)
			must(t, err)
			return Beginning{Recovery: raw}
		}, string(state.CodeNetwork)},
		"another root": {"h1", func(s *Survivor) Beginning {
			e := *d
			e.Root[0] ^= 1
			return c.beginning(s, &e, 0, leads[:2]...)
		}, ErrBeyondCut.Error()},
		"a cut below this copy": {"h1", func(s *Survivor) Beginning {
			e := *d
			e.Envelopes--
			return c.beginning(s, &e, 0, leads[:2]...)
		}, ErrBeyondCut.Error()},
		"no tail": {"reader", func(*Survivor) Beginning { return Beginning{Recovery: b.Recovery, From: d.Envelopes} }, ErrShortCopy.Error()},
		"another tail": {"reader", func(*Survivor) Beginning {
			return Beginning{Recovery: b.Recovery, From: b.From, Tail: reversed(b.Tail)}
		}, ErrBeyondCut.Error()},
		"too few raft records": {"h1", func(s *Survivor) Beginning {
			e := *d
			e.Index = 2
			return c.beginning(s, &e, 0, leads[:2]...)
		}, ErrBeyondCut.Error()},
	} {
		var made Beginning
		c.survey("h1", func(s *Survivor) { made = tc.make(s) })
		if err := c.begin(tc.id, made); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	for _, id := range []string{"h1", "reader"} { // nothing of it is left
		must(t, c.begin(id, b))
	}
}

func reversed(list []Pulled) []Pulled {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

func TestARecoveryIsNeverSent(t *testing.T) {
	c, _, b, _ := lost(t)
	m, err := machine.Open(c.t.TempDir(), c.founded.Genesis)
	must(t, err)
	defer m.Close()
	for name, ask := range map[string]func([]byte, uint64) (Outcome, error){"checked": m.Check, "applied": m.Apply} {
		out, err := ask(b.Recovery.Marshal(), foundingtest.SignedAt)
		if err != nil || out.Refusal == nil || !strings.Contains(out.Refusal.Detail, "is not sent") {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// A node that is killed while it begins does not start, until the same file has
// finished it; another file does not.
func TestANodeThatIsHalfWayDoesNotStart(t *testing.T) {
	c, _, b, d := lost(t)
	var another Beginning
	c.survey("h1", func(s *Survivor) { another = c.beginning(s, d, b.From, c.founded.Hospitals[1:]...) })
	id := b.Recovery.ID()
	must(t, ledger.WriteFileDurable(markPath(c.dirs["h1"]), id[:]))
	if _, err := Open(c.config("h1")); !errors.Is(err, ErrHalfBegun) {
		t.Errorf("started: %v", err)
	}
	if err := c.begin("h1", another); !errors.Is(err, ErrHalfBegun) {
		t.Errorf("another file: %v", err)
	}
	must(t, c.begin("h1", b))
	must(t, c.begin("reader", b))
	c.open("h1", "reader")
	c.converged(d.Size + 1)
}

func TestAVoterThatIsDamagedIsNoSurvivor(t *testing.T) {
	c, _, _, _ := lost(t)
	c.spoil("h1", filepath.Join("raft", logFile), func(b []byte) []byte {
		for i := range b {
			b[i] ^= 0x5a
		}
		return b
	})
	if _, err := c.survivor("h1"); !errors.Is(err, logstore.ErrDamaged) {
		t.Errorf("opened: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.dirs["h1"], "raft", logFile)); errors.Is(err, fs.ErrNotExist) {
		t.Error("its log was removed: it may be all that is left")
	}
}

// A mirror that nobody surveyed needs no file where a voter that it knows votes on:
// it pulls the act like any envelope, and judges by it who votes.
func TestAMirrorPullsOverTheCut(t *testing.T) {
	c, chains, _, _ := lost(t)
	var b Beginning
	var d *act.Recovery
	c.survey("h1", func(s *Survivor) {
		d = c.recovery(s, []string{"h1"}, "h2", "h3")
		b = c.beginning(s, d, d.Envelopes, c.founded.Hospitals[:2]...)
	})
	must(t, c.begin("h1", b))
	c.open("h1", "reader")
	c.converged(d.Size + 1)
	c.resume(chains)
	c.continueLoad(chains, 1, 1, "h1", "reader")
	c.converged(d.Size + 1 + 3)
	if got := c.node("reader").View().LogEpoch; got != 2 {
		t.Errorf("the mirror is in log epoch %d", got)
	}
}

// What a node holds beyond the cut it must not go on with, and a voter that is shut
// out must not vote: the act that began the epoch tells both.
func TestWhoWasLeftBehindStops(t *testing.T) {
	c, _, b, _ := lost(t)
	must(t, os.Rename(c.dirs["h3"]+".dead", c.dirs["h3"]))
	var shorter Beginning
	c.survey("reader", func(s *Survivor) {
		d := c.recovery(s, []string{"h1"}, "h2", "h3")
		d.Size, d.Envelopes = d.Size-2, d.Envelopes-1
		shorter = c.beginning(s, d, s.View().Envelopes, c.founded.Hospitals[:2]...)
	})
	c.mayFail()
	for id, tc := range map[string]struct {
		act  *envelope.Envelope
		says string
	}{
		"h3":     {b.Recovery, "shuts this node out"},
		"reader": {shorter.Recovery, "the 2 beyond, which this node holds, are lost at the recovery"},
	} {
		c.open(id)
		n := c.node(id)
		if err := n.HearSuccession(c.founded.Genesis.Marshal()); err == nil || n.failure() != nil {
			t.Errorf("%s: any act makes it stop: %v, %v", id, err, n.failure())
		}
		err := n.HearSuccession(tc.act.Marshal())
		if !errors.Is(err, ErrLeftBehind) || !errors.Is(err, ErrQuarantined) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", id, err, tc.says)
		}
		c.close(ended(), id)
		if _, err := Open(c.config(id)); !errors.Is(err, ErrQuarantined) {
			t.Errorf("%s starts again: %v", id, err)
		}
	}
}
