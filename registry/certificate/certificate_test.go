package certificate_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/certificate"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// log is a log of acts with its voters.
type log struct {
	t      testing.TB
	net    *foundingtest.Network
	hashes []tlog.Hash
	acts   []certificate.Proven
}

func (l *log) ReadHashes(_ uint, first uint64, dst []tlog.Hash) error { // of height 0: the log is small
	copy(dst, l.hashes[first:])
	return nil
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// add puts an act of a hospital behind the others.
func (l *log) add(m *foundingtest.Member, a act.Act) uint64 {
	link := envelope.Link{Network: l.net.ID, Hospital: m.Number, Sequence: 2, Attempt: 1, SignedAt: 5}
	e, err := envelope.BuildAct(link, a.Marshal(), m.Envelope)
	must(l.t, e, err)
	leaf := e.Leaf(0, 1_790_000_000_000, e.Commitments()[0]).Append(nil)
	l.hashes = append(l.hashes, tlog.LeafHash(leaf))
	l.acts = append(l.acts, certificate.Proven{Index: uint64(len(l.acts)), Leaf: leaf, Envelope: e.Marshal()})
	return uint64(len(l.acts) - 1)
}

func (l *log) withdraw(m *foundingtest.Member, first uint64) uint64 {
	w := act.Withdrawal{Hospital: m.Number, Entries: []act.Span{{First: first, Count: 2}, {First: first + 4, Count: 1}}}
	return l.add(m, act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: w.Marshal()})
}

func (l *log) receipt(m *foundingtest.Member, node string, through uint64) uint64 {
	r := act.ErasureReceipt{Node: node, Through: 7, Index: through}
	return l.add(m, act.Act{Version: act.Version, Type: act.TypeErasureReceipt, Payload: r.Marshal()})
}

// proven returns the act at an index with its proof.
func (l *log) proven(index uint64) certificate.Proven {
	p := l.acts[index]
	hashes, err := tlog.InclusionProof(l, index, uint64(len(l.hashes)))
	p.Hashes = must(l.t, hashes, err)
	return p
}

const origin = "test.example/network/1"

// note signs the log as its voters do, and policy is what takes that for valid.
func (l *log) note(voters int) ([]byte, *tlog.Policy) {
	c := tlog.Checkpoint{Origin: origin, Size: uint64(len(l.hashes))}
	root, err := tlog.RootAt(l, c.Size)
	c.Root = must(l.t, root, err)
	leader, err := tlog.NewLogSigner(origin, l.net.Hospitals[0].Log.Ed25519())
	must(l.t, leader, err)
	sig, err := leader.Sign(c)
	sc := tlog.SignedCheckpoint{Checkpoint: c, Signatures: []tlog.NoteSignature{must(l.t, sig, err)}}
	var keys []*tlog.CosignerKey
	for i, m := range l.net.Hospitals {
		k, err := tlog.NewCosigner("test.example/network/v/"+m.Node, m.Cosign.Ed25519(), m.Cosign.MLDSA44())
		must(l.t, k, err)
		keys = append(keys, k.Key())
		if i < voters {
			sigs, err := k.Cosign(c, 1_790_000_100)
			sc.Signatures = append(sc.Signatures, must(l.t, sigs, err)...)
		}
	}
	policy, err := tlog.VoterPolicy([]*tlog.VKey{leader.VKey()}, keys)
	return sc.Marshal(), must(l.t, policy, err)
}

// certified is a certificate by which two of four nodes declare: h1 did, h2 has
// not yet, h3 did, and one was removed.
func certified(t testing.TB) (*log, *certificate.Certificate, *tlog.Policy) {
	l := &log{t: t, net: foundingtest.New(t, 3)}
	h := l.net.Hospitals
	l.withdraw(h[1], 10)
	l.receipt(h[1], "h2", 0) // of an earlier withdrawal
	index := l.withdraw(h[0], 30)
	first := l.receipt(h[0], "h1", index)
	later := l.withdraw(h[2], 50)
	third := l.receipt(h[2], "h3", later)
	note, policy := l.note(2)
	a, b := l.proven(first), l.proven(third)
	return l, &certificate.Certificate{
		Network: "test.example/network", NetworkID: l.net.ID, Maker: "h2", Envelope: 12, SaltsExpiry: 1_800_000_000_000,
		Checkpoint: note, Withdrawal: l.proven(index),
		Nodes: []certificate.Node{
			{ID: "gone", Institution: 9, Name: "Old\nname", Removed: true},
			{ID: "h1", Institution: 1, Name: "医院 One", Receipt: &a},
			{ID: "h2", Institution: 2, Name: "Two"},
			{ID: "h3", Institution: 3, Name: "Three", Receipt: &b},
		},
	}, policy
}

func TestACertificateProvesWhoDeclares(t *testing.T) {
	_, c, policy := certified(t)
	file, err := c.Marshal()
	must(t, file, err)
	again, err := certificate.Parse(file)
	must(t, again, err)
	r, err := again.Verify(policy)
	if err != nil {
		t.Fatal(err)
	}
	if r.Hospital != 1 || r.Index != 2 || act.CountSpans(r.Entries) != 3 || strings.Join(r.Declared, " ") != "h1 h3" || len(r.Cosigned) != 2 {
		t.Errorf("proven: %+v", r)
	}
	for _, want := range []string{
		"30-31, 34; 3 of institution 1", "2 of 4 nodes", "h1, institution 1 医院 One: declared in leaf 3", "h2, institution 2 Two: not declared yet",
		"gone, institution 9 Oldname: removed, cannot attest", "2027-01-15T08:00:00Z", "擦除证明",
	} {
		if !strings.Contains(string(file), want) {
			t.Errorf("the text lacks %q:\n%s", want, file[:bytes.Index(file, []byte("-----"))])
		}
	}
}

func TestACertificateThatClaimsMoreIsRefused(t *testing.T) {
	for name, change := range map[string]func(*log, *certificate.Certificate){
		"a receipt of an earlier withdrawal": func(l *log, c *certificate.Certificate) {
			p := l.proven(1)
			c.Nodes[2].Receipt = &p
		},
		"another node's receipt": func(_ *log, c *certificate.Certificate) { c.Nodes[2].Receipt = c.Nodes[1].Receipt },
		"a receipt in another institution's name": func(_ *log, c *certificate.Certificate) {
			c.Nodes[1].Institution = 2
		},
		"a withdrawal for a receipt": func(l *log, c *certificate.Certificate) {
			p := l.proven(0)
			c.Nodes[2].Receipt = &p
		},
		"a receipt for a withdrawal": func(l *log, c *certificate.Certificate) { c.Withdrawal = l.proven(3) },
		"an act that is not there":   func(_ *log, c *certificate.Certificate) { c.Withdrawal.Hashes[0][0] ^= 1 },
		"an act at another place":    func(_ *log, c *certificate.Certificate) { c.Withdrawal.Index++ },
		"a leaf of another time":     func(_ *log, c *certificate.Certificate) { c.Withdrawal.Leaf[25] ^= 1 },
		"another network":            func(_ *log, c *certificate.Certificate) { c.NetworkID[0] ^= 1 },
		"a node twice":               func(_ *log, c *certificate.Certificate) { c.Nodes[2].ID = "h1" },
		"too few cosignatures":       func(l *log, c *certificate.Certificate) { c.Checkpoint, _ = l.note(1) },
		"a checkpoint of other roots": func(_ *log, c *certificate.Certificate) {
			c.Checkpoint = bytes.Replace(c.Checkpoint, []byte("\n6\n"), []byte("\n5\n"), 1)
		},
	} {
		l, c, policy := certified(t)
		change(l, c)
		if _, err := c.Verify(policy); !errors.Is(err, certificate.ErrUnproven) {
			t.Errorf("%s: got %v, want ErrUnproven", name, err)
		}
	}
}

func TestAnyChangedByteOfAFileIsSeen(t *testing.T) {
	_, c, policy := certified(t)
	file, err := c.Marshal()
	must(t, file, err)
	for i := 0; i < len(file); i += 1 + i/200 {
		bad := bytes.Clone(file)
		bad[i] ^= 1
		again, err := certificate.Parse(bad)
		if err == nil {
			_, err = again.Verify(policy)
		}
		if err == nil && !onlyInSignatures(t, c, again) {
			t.Fatalf("byte %d may be another", i)
		}
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "a text alone": file[:200], "a line more": append([]byte("x\n"), file...), "a byte behind": append(bytes.Clone(file), '\n'),
	} {
		if _, err := certificate.Parse(bad); !errors.Is(err, certificate.ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", name, err)
		}
	}
}

// onlyInSignatures reports whether two certificates differ in nothing but the
// signatures of envelopes, which lie outside of their ids: voters have checked
// them, and whoever has the senders' keys can.
func onlyInSignatures(t *testing.T, a, b *certificate.Certificate) bool {
	for i, p := range []*certificate.Proven{&a.Withdrawal, a.Nodes[1].Receipt, a.Nodes[3].Receipt} {
		q := []*certificate.Proven{&b.Withdrawal, b.Nodes[1].Receipt, b.Nodes[3].Receipt}[i]
		one, err := envelope.Decode(p.Envelope)
		must(t, one, err)
		other, err := envelope.Decode(q.Envelope)
		must(t, other, err)
		if !bytes.Equal(one.HeaderBytes, other.HeaderBytes) || !bytes.Equal(one.Bodies[0].Ciphertext, other.Bodies[0].Ciphertext) {
			return false
		}
	}
	return true
}

func FuzzParse(f *testing.F) {
	_, c, policy := certified(f)
	file, err := c.Marshal()
	f.Add(must(f, file, err))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := certificate.Parse(in)
		if err != nil {
			return
		}
		if again, err := c.Marshal(); err != nil || !bytes.Equal(again, in) {
			t.Errorf("a file reads back as another: %v", err)
		}
		_, _ = c.Verify(policy) // must not panic, whatever it says
	})
}
