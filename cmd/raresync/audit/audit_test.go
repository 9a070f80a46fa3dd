package audit_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

const now = foundingtest.SignedAt + 60_000

// copied is a node's directory with a log of three hospitals, as an auditor
// gets it.
type copied struct {
	t      testing.TB
	net    *foundingtest.Network
	dir    string // holds ledger and checkpoint
	state  *state.State
	policy *tlog.Policy
	roots  map[uint64]tlog.Hash // after each envelope, by size
}

// newCopy makes a log of the genesis and one envelope for each count of
// entries, by the hospitals in turn.
func newCopy(t testing.TB, counts ...int) *copied {
	t.Helper()
	c := &copied{t: t, net: foundingtest.New(t, 3), dir: t.TempDir(), roots: map[uint64]tlog.Hash{}}
	m, err := machine.Open(c.dir, c.net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range counts {
		out, err := m.Apply(c.entries(m.View(), c.net.Hospitals[i%3], n), now+uint64(i))
		if err != nil || out.Refusal != nil {
			t.Fatalf("apply envelope %d: %v %v", i+1, err, out.Refusal)
		}
		c.roots[m.View().Tree.Size()] = m.View().Tree.Root()
	}
	c.state = m.View()
	if _, err := m.Ledger().Sync(); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if c.policy, err = consensus.PolicyOf(c.state); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *copied) entries(s *state.State, m *foundingtest.Member, n int) []byte {
	c.t.Helper()
	member, _ := s.Member(m.Number)
	set, _ := s.ReadersFor(m.Number)
	plain := make([]envelope.Plain, n)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: []byte{byte(i)}}
	}
	e, _, err := envelope.BuildEntries(envelope.Link{
		Network: s.Network, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1,
		Previous: member.Chain.ID, SignedAt: now,
	}, set, plain, m.Envelope, rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	return e.Marshal()
}

// note returns a checkpoint signed by hospital 1's voter and cosigned by the
// first voters.
func (c *copied) note(size uint64, root tlog.Hash, voters int) []byte {
	c.t.Helper()
	cp := tlog.Checkpoint{Origin: consensus.Origin(c.state), Size: size, Root: root}
	log, err := tlog.NewLogSigner(cp.Origin, c.net.Hospitals[0].Log.Ed25519())
	if err != nil {
		c.t.Fatal(err)
	}
	line, err := log.Sign(cp)
	if err != nil {
		c.t.Fatal(err)
	}
	sc := tlog.SignedCheckpoint{Checkpoint: cp, Signatures: []tlog.NoteSignature{line}}
	for _, h := range c.net.Hospitals[:voters] {
		cosigner, err := tlog.NewCosigner(consensus.CosignerName(c.state, h.Node), h.Cosign.Ed25519(), h.Cosign.MLDSA44())
		if err != nil {
			c.t.Fatal(err)
		}
		lines, err := cosigner.Cosign(cp, 1_790_000_100)
		if err != nil {
			c.t.Fatal(err)
		}
		sc.Signatures = append(sc.Signatures, lines...)
	}
	return sc.Marshal()
}

// whole returns a valid checkpoint of the whole copy.
func (c *copied) whole() []byte { return c.note(c.state.Tree.Size(), c.state.Tree.Root(), 2) }

func (c *copied) verify(note []byte) (*audit.Result, error) {
	return audit.Copy(c.dir, audit.Options{Policy: c.policy, Note: note})
}

func wantUnverified(t *testing.T, err error, text string) {
	t.Helper()
	if !errors.Is(err, audit.ErrUnverified) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want ErrUnverified that says %q", err, text)
	}
}

func TestCopy(t *testing.T) {
	c := newCopy(t, 2, 300, 1)
	seen := 0
	r, err := audit.Copy(c.dir, audit.Options{Policy: c.policy, Note: c.whole(), Progress: func(n uint64) func() {
		if n != 4 {
			t.Errorf("progress of %d envelopes, want 4", n)
		}
		return func() { seen++ }
	}})
	if err != nil {
		t.Fatal(err)
	}
	if seen != 4 || r.Envelopes != 4 || r.Entries != 304 || r.Checkpoint != 304 || !r.OwnPolicy || !r.Demo ||
		r.Network != "test.example/network" || r.NetworkID != fmt.Sprintf("%x", c.net.ID) || r.Cosigned != "2026-09-21T14:15:00Z" ||
		!slices.Equal(r.Cosigners, []string{"test.example/network/v/h1", "test.example/network/v/h2"}) {
		t.Errorf("after %d envelopes: %+v", seen, r)
	}
}

func TestWhereACopyIsFound(t *testing.T) {
	c := newCopy(t, 1)
	if err := ledger.WriteFileDurable(filepath.Join(c.dir, "checkpoint"), c.whole()); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	if err := os.Symlink(c.dir, filepath.Join(data, "node")); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"the ledger": filepath.Join(c.dir, "ledger"), "the node's directory": c.dir, "the data directory": data,
	} {
		if _, err := audit.Copy(dir, audit.Options{Policy: c.policy}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := audit.Copy(t.TempDir(), audit.Options{Policy: c.policy}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty folder: %v, want not exist", err)
	}
	plain := filepath.Join(t.TempDir(), "note")
	if err := os.WriteFile(plain, c.whole(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{plain, filepath.Join(c.dir, "checkpoint")} {
		note, err := audit.ReadNote(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.verify(note); err != nil {
			t.Errorf("checkpoint %s: %v", path, err)
		}
	}
}

func TestCheckpoints(t *testing.T) {
	c := newCopy(t, 2, 3)
	size, root := c.state.Tree.Size(), c.state.Tree.Root()
	if r, err := c.verify(c.note(3, c.roots[3], 2)); err != nil || r.Checkpoint != 3 || r.Entries != 6 {
		t.Errorf("a checkpoint smaller than the copy: %+v, %v", r, err)
	}
	other := newCopy(t, 1)
	for name, tc := range map[string]struct {
		note []byte
		want string
	}{
		"of another root":                  {c.note(size, tlog.Hash{1}, 2), "root of the first 6 entries"},
		"of a larger tree":                 {c.note(size+1, root, 2), "the copy ends after 6 entries"},
		"without a majority":               {c.note(size, root, 1), tlog.ErrPolicy.Error()},
		"of another network's voters":      {other.whole(), tlog.ErrPolicy.Error()},
		"that is no note":                  {[]byte("hello"), tlog.ErrMalformed.Error()},
		"that does not lie beside":         {nil, "no checkpoint lies beside the ledger"},
		"of the genesis with a wrong hash": {c.note(1, root, 3), "root of the first 1 entries"},
	} {
		t.Run("a checkpoint "+name, func(t *testing.T) {
			_, err := c.verify(tc.note)
			wantUnverified(t, err, tc.want)
		})
	}
}

func TestAPolicyOfOthersIsTold(t *testing.T) {
	c := newCopy(t, 1)
	lines := strings.Split(strings.TrimSpace(string(c.policy.Marshal())), "\n")
	// The same voters, of whom one is enough.
	for i, line := range lines {
		if fields := strings.Fields(line); fields[0] == "group" && fields[2] == "2" {
			lines[i] = strings.Replace(line, " 2 ", " 1 ", 1)
		}
	}
	weaker, err := tlog.ParsePolicy([]byte(strings.Join(lines, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Copy(c.dir, audit.Options{Policy: weaker, Note: c.note(c.state.Tree.Size(), c.state.Tree.Root(), 1)})
	if err != nil {
		t.Fatal(err)
	}
	if r.OwnPolicy {
		t.Error("another policy than the founders' was not told apart")
	}
}

// TestEveryChangedByteIsSeen flips bytes all over the files of the ledger. "synced"
// and its second copy are left out: they say what this copy's last machine had
// fsynced, and the same fact follows from the others.
func TestEveryChangedByteIsSeen(t *testing.T) {
	c := newCopy(t, 2, 1)
	note := c.whole()
	dir := filepath.Join(c.dir, "ledger")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, f := range files {
		if strings.HasPrefix(f.Name(), "synced") {
			continue
		}
		path := filepath.Join(dir, f.Name())
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		step := max(1, len(raw)/25)
		for at := 0; at < len(raw); at += step {
			changed := slices.Clone(raw)
			changed[at] ^= 0x40
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := c.verify(note); !errors.Is(err, audit.ErrUnverified) {
				t.Errorf("%s: byte %d of %d changed: %v, want ErrUnverified", f.Name(), at, len(raw), err)
			}
			tried++
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.verify(note); err != nil || tried < 150 {
		t.Errorf("the copy put right again after %d changes: %v", tried, err)
	}
}

func TestFilesThatWereShortened(t *testing.T) {
	for _, name := range []string{"leaves", "hashes.0", "envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"} {
		t.Run(name, func(t *testing.T) {
			c := newCopy(t, 2, 1)
			path := filepath.Join(c.dir, "ledger", name)
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(path, info.Size()-1); err != nil {
				t.Fatal(err)
			}
			if _, err := c.verify(c.whole()); !errors.Is(err, audit.ErrUnverified) {
				t.Errorf("got %v, want ErrUnverified", err)
			}
		})
	}
}

func TestReceipt(t *testing.T) {
	c := newCopy(t, 2, 5)
	l, err := ledger.OpenReadOnly(filepath.Join(c.dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const index = 4
	leaf, err := l.Leaf(index)
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := tlog.InclusionProof(l, index, c.state.Tree.Size())
	if err != nil {
		t.Fatal(err)
	}
	sc, err := tlog.ParseSignedCheckpoint(c.whole())
	if err != nil {
		t.Fatal(err)
	}
	bare := tlog.Proof{Index: index, Hashes: hashes, Checkpoint: sc}.Marshal()
	receipt, err := audit.WithLeaf(leaf, bare)
	if err != nil {
		t.Fatal(err)
	}
	p, err := audit.Receipt(nil, receipt, c.policy)
	if err != nil {
		t.Fatal(err)
	}
	if p.Index != index || p.Hospital != 2 || p.Sequence != 1 || p.Place != 1 || p.LogTime != "2026-09-21T14:14:20.001Z" || p.Checkpoint != 8 {
		t.Errorf("the receipt says %+v", p)
	}
	if _, err := audit.Receipt(leaf, bare, c.policy); err != nil {
		t.Errorf("leaf and proof apart: %v", err)
	}
	_, err = audit.Receipt(nil, bare, c.policy)
	wantUnverified(t, err, "it holds no leaf")
	_, err = audit.WithLeaf(append(leaf[:89:89], leaf[89]^1), bare)
	wantUnverified(t, err, tlog.ErrProof.Error())
	_, err = audit.Receipt(nil, receipt, newCopy(t, 1).policy)
	wantUnverified(t, err, tlog.ErrPolicy.Error())
	for at := 0; at < len(receipt); at += 13 {
		changed := slices.Clone(receipt)
		changed[at] ^= 1
		if q, err := audit.Receipt(nil, changed, c.policy); err == nil && q.Commitment != p.Commitment {
			t.Errorf("a byte changed at %d: another leaf verifies", at)
		}
	}
}
