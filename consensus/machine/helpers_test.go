package machine_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"testing"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// now is the leader's time in these tests, a minute after the genesis.
const now = foundingtest.SignedAt + 60_000

// sent is an envelope with its log time, as a peer passes it on.
type sent struct {
	raw     []byte
	logTime uint64
}

func open(t testing.TB, dir string, genesis *envelope.Envelope) *machine.Machine {
	t.Helper()
	m, err := machine.Open(dir, genesis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// entries returns a hospital's next envelope of n entries, as the state s
// wants it, with the given attempt.
func entries(t testing.TB, s *state.State, m *foundingtest.Member, n int, attempt uint32) *envelope.Envelope {
	t.Helper()
	member, _ := s.Member(m.Number)
	set, _ := s.ReadersFor(m.Number)
	plain := make([]envelope.Plain, n)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: []byte{byte(i)}}
	}
	e, _, err := envelope.BuildEntries(envelope.Link{
		Network: s.Network, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: attempt,
		Previous: member.Chain.ID, SignedAt: now,
	}, set, plain, m.Envelope, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// forge lets a sender change an envelope, commit to it and sign it.
func forge(t testing.TB, e *envelope.Envelope, key *sign.PrivateKey, change func(*envelope.Header, *[]seal.Body)) *envelope.Envelope {
	t.Helper()
	out := envelope.Envelope{Header: e.Header, Bodies: append([]seal.Body(nil), e.Bodies...)}
	out.Wraps = append([]seal.Wrap(nil), e.Wraps...)
	change(&out.Header, &out.Bodies)
	out.Count = uint32(len(out.Bodies))
	out.BodiesHash = seal.BodiesHash(out.Commitments())
	header := out.Header.Marshal()
	sig, err := key.Sign(out.Kind.Label(), header)
	if err != nil {
		t.Fatal(err)
	}
	env, err := envelope.Assemble(header, sig, out.Bodies)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// apply applies an envelope that must be accepted for the first time.
func apply(t testing.TB, m *machine.Machine, raw []byte, leaderTime uint64) machine.Outcome {
	t.Helper()
	out, err := m.Apply(raw, leaderTime)
	if err != nil {
		t.Fatal(err)
	}
	if out.Refusal != nil || out.Duplicate {
		t.Fatalf("got %+v, want it accepted", out)
	}
	return out
}

// history is a network, its first voter and what that has applied: envelopes
// 1 to 6 of hospitals 1 and 2 in turn.
type history struct {
	net   *foundingtest.Network
	voter *machine.Machine
	log   []sent
	at    []machine.Snapshot // after the genesis and each envelope
}

func newHistory(t testing.TB) *history {
	t.Helper()
	h := &history{net: foundingtest.New(t, 3)}
	h.voter = open(t, t.TempDir(), h.net.Genesis)
	h.at = append(h.at, snapshot(t, h.voter))
	for i := range 6 {
		raw := entries(t, h.voter.View(), h.net.Hospitals[i%2], 1+100*(i%3), 1).Marshal()
		out := apply(t, h.voter, raw, now+uint64(1000*i))
		h.log = append(h.log, sent{raw, out.LogTime})
		h.at = append(h.at, snapshot(t, h.voter))
	}
	return h
}

// follower returns a machine in dir that has applied the first n envelopes and
// saved its state.
func (h *history) follower(t testing.TB, dir string, n int) *machine.Machine {
	t.Helper()
	m := open(t, dir, h.net.Genesis)
	for _, e := range h.log[:n] {
		apply(t, m, e.raw, e.logTime)
	}
	if err := m.Save(snapshot(t, m)); err != nil {
		t.Fatal(err)
	}
	return m
}

func snapshot(t testing.TB, m *machine.Machine) machine.Snapshot {
	t.Helper()
	s, err := m.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustEqual says that m is where a snapshot was taken: state and files.
func mustEqual(t testing.TB, m *machine.Machine, want machine.Snapshot) {
	t.Helper()
	if !bytes.Equal(m.View().AppendCBOR(nil), want.State.AppendCBOR(nil)) {
		t.Errorf("state after %d envelopes is not that after %d", m.View().Envelopes, want.State.Envelopes)
	}
	if got := m.Ledger().Lengths(); got != want.At {
		t.Errorf("ledger has %d envelopes, want %d", got.Envelopes, want.At.Envelopes)
	}
	if size := want.State.Tree.Size(); size > 0 {
		if root, err := m.RootAt(size); err != nil || root != want.State.Tree.Root() {
			t.Errorf("root at %d is %x, %v", size, root[:4], err)
		}
	}
}

// crash returns a copy of a machine's directory as a power cut leaves it.
func crash(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
