package consensus

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
)

// signedBy is a checkpoint of a size that one leads and these voters have cosigned.
func signedBy(t *testing.T, c *cluster, s *state.State, size uint64, leader string, voters ...string) tlog.SignedCheckpoint {
	t.Helper()
	cp := tlog.Checkpoint{Origin: Origin(s), Size: size, Root: tlog.Hash{byte(size)}}
	log, err := tlog.NewLogSigner(Origin(s), c.member(leader).Log.Ed25519())
	if err != nil {
		t.Fatal(err)
	}
	sig, err := log.Sign(cp)
	if err != nil {
		t.Fatal(err)
	}
	sc := tlog.SignedCheckpoint{Checkpoint: cp, Signatures: []tlog.NoteSignature{sig}}
	for _, id := range voters {
		k := c.member(id).Cosign
		cosigner, err := tlog.NewCosigner(CosignerName(s, id), k.Ed25519(), k.MLDSA44())
		if err != nil {
			t.Fatal(err)
		}
		sigs, err := cosigner.Cosign(cp, 1_790_000_000)
		if err != nil {
			t.Fatal(err)
		}
		sc.Signatures = append(sc.Signatures, sigs...)
	}
	return sc
}

func TestThoseJudgeACheckpointWhoWereVotersAtItsSize(t *testing.T) {
	c := newCluster(t, 3)
	s := c.genesis.Clone()
	s.VoterSets = append(s.VoterSets, state.VoterSet{Size: 10, Nodes: []string{"h1", "h2", "reader"}},
		state.VoterSet{Size: 20, Nodes: []string{"h1", "h2", "h3", "reader"}})
	j := judges{view: func() *state.State { return s }}
	for name, tc := range map[string]struct {
		size   uint64
		leader string
		voters []string
		valid  bool
	}{
		"two of the three of before":            {9, "h3", []string{"h1", "h3"}, true},
		"one of them and one of later":          {9, "h1", []string{"h1", "reader"}, false},
		"from the change on, one that left":     {10, "h1", []string{"h1", "h3"}, false},
		"from the change on, one that came":     {10, "h1", []string{"h1", "reader"}, true},
		"under the log key of one that left":    {10, "h3", []string{"h1", "reader"}, false},
		"as many as before, now half":           {20, "h1", []string{"h1", "reader"}, false},
		"three of four":                         {20, "reader", []string{"h1", "h3", "reader"}, true},
		"beyond the tree, as the newest voters": {1 << 40, "h1", []string{"h1", "h2", "h3"}, true},
	} {
		sc := signedBy(t, c, s, tc.size, tc.leader, tc.voters...)
		if _, err := j.verify(sc); (err == nil) != tc.valid {
			t.Errorf("%s: %v", name, err)
		}
		p, err := PolicyAt(s, tc.size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Verify(sc); (err == nil) != tc.valid {
			t.Errorf("%s, from outside: %v", name, err)
		}
	}
	if _, err := j.cosigner("h3", 10); err == nil {
		t.Error("one that left cosigns")
	}
}
