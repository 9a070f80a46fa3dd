package state_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// now is the leader's time in these tests, a minute after the genesis.
const now = foundingtest.SignedAt + 60_000

// found returns a network of three hospitals and one reader, and its state
// after genesis.
func found(t testing.TB) (*foundingtest.Network, *state.State) {
	t.Helper()
	net := foundingtest.New(t, 3)
	s, _, err := state.Found(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	return net, s
}

// next returns the link of a member's next envelope.
func next(t testing.TB, s *state.State, number uint32) envelope.Link {
	t.Helper()
	m, ok := s.Member(number)
	if !ok {
		t.Fatalf("no member %d", number)
	}
	return envelope.Link{
		Network: s.Network, Hospital: number, Sequence: m.Chain.Sequence + 1, Attempt: 1, Previous: m.Chain.ID, SignedAt: now,
	}
}

// entries returns a member's next envelope of n entries.
func entries(t testing.TB, s *state.State, m *foundingtest.Member, n int) *envelope.Envelope {
	t.Helper()
	set, _ := s.ReadersFor(m.Number)
	plain := make([]envelope.Plain, n)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: []byte{byte(i)}}
	}
	e, _, err := envelope.BuildEntries(next(t, s, m.Number), set, plain, m.Envelope, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// actOf returns a member's next envelope with an act.
func actOf(t testing.TB, s *state.State, m *foundingtest.Member, a act.Act) *envelope.Envelope {
	t.Helper()
	e, err := envelope.BuildAct(next(t, s, m.Number), a.Marshal(), m.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// unopenable is m's act that says that it could not open envelope n.
func unopenable(m *foundingtest.Member, n uint64) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeUnopenable, Payload: act.Unopenable{
		Envelope: n, Reader: m.Sealing.Public().ID(), Code: "SEAL003",
	}.Marshal()}
}

// saltsBackup declares a backup of a node with its salts.
func saltsBackup(node string, size, expiry uint64) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeSaltsBackup, Payload: act.SaltsBackup{
		Node: node, Size: size, Expiry: expiry,
	}.Marshal()}
}

// forge changes an envelope as its sender could: bodies and header are changed,
// committed to and signed.
func forge(t testing.TB, e *envelope.Envelope, key *sign.PrivateKey, change func(*envelope.Header, *[]seal.Body)) []byte {
	t.Helper()
	out := envelope.Envelope{Header: e.Header, Bodies: append([]seal.Body(nil), e.Bodies...)}
	out.Wraps = append([]seal.Wrap(nil), e.Wraps...)
	change(&out.Header, &out.Bodies)
	out.Count = uint32(len(out.Bodies))
	out.BodiesHash = seal.BodiesHash(out.Commitments())
	label := out.Kind.Label()
	if label == "" {
		label = sign.LabelEntries
	}
	header := out.Header.Marshal()
	sig, err := key.Sign(label, header)
	if err != nil {
		t.Fatal(err)
	}
	return assemble(t, header, sig, out.Bodies)
}

func assemble(t testing.TB, header []byte, sig sign.Signature, bodies []seal.Body) []byte {
	t.Helper()
	e, err := envelope.Assemble(header, sig, bodies)
	if err != nil {
		t.Fatal(err)
	}
	return e.Marshal()
}

// admit decodes and admits bytes as a node does.
func admit(s *state.State, raw []byte, leaderTime uint64) (uint64, *state.Refusal) {
	e, err := envelope.Decode(raw)
	if err != nil {
		return 0, state.AfterDecode(err)
	}
	return s.Admit(e, leaderTime, e.Commitments())
}

// accept admits and accepts bytes.
func accept(t testing.TB, s *state.State, raw []byte, leaderTime uint64) state.Accepted {
	t.Helper()
	logTime, r := admit(s, raw, leaderTime)
	if r != nil {
		t.Fatal(r)
	}
	e, err := envelope.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s.Accept(e, logTime, e.Commitments())
}

// deepCopy returns the state that s decodes to.
func deepCopy(t testing.TB, s *state.State) *state.State {
	t.Helper()
	b := s.AppendCBOR(nil)
	d := cbor.NewDecoder(b)
	c, err := state.Decode(d)
	if err == nil {
		err = d.Done()
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.AppendCBOR(nil), b) {
		t.Fatal("state decodes to another state")
	}
	return c
}
