package state_test

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// sent is an envelope with the leader's time it came with.
type sent struct {
	raw        []byte
	leaderTime uint64
}

// history sends envelopes of two hospitals in turn and an act of the reader,
// with a leader's clock that goes back and forth.
func history(t testing.TB) (genesis *envelope.Envelope, log []sent) {
	t.Helper()
	net, s := found(t)
	for i, leaderTime := range []uint64{now, now + 5_000, now - 90_000, now + 4_000, now + 9_000} {
		raw := entries(t, s, net.Hospitals[i%2], 1+7*i).Marshal()
		accept(t, s, raw, leaderTime)
		log = append(log, sent{raw, leaderTime})
	}
	raw := actOf(t, s, net.Reader, unopenable(net.Reader, 3)).Marshal()
	accept(t, s, raw, now+9_001)
	log = append(log, sent{raw, now + 9_001})
	for n, node := range []string{"h2", "h1"} {
		raw := actOf(t, s, net.Hospitals[1-n], saltsBackup(node, 1+uint64(n), now+90_000)).Marshal()
		accept(t, s, raw, now+9_002)
		log = append(log, sent{raw, now + 9_002})
	}
	x := newExchange(t, net, s)
	x.lie()
	for _, a := range []act.Act{
		falsehoodAct(x.evidence()),
		usageOf(act.Usage{Week: today/act.DaysInWeek - 1, Requests: 1, Totals: []act.UsageTotal{{Hospital: 2, Bucket: 3}}}),
		allowance(t, net, s, act.Allowance{Hospital: 2, First: today, Last: today + 1, Elements: 9}, now+60_000),
	} {
		raw := actOf(t, s, net.Hospitals[2], a).Marshal()
		accept(t, s, raw, now+9_003)
		log = append(log, sent{raw, now + 9_003})
	}
	a := lasting(t, net, s, foundingtest.Newcomer(t, "h5", 5))
	raw = actOf(t, s, net.Hospitals[0], proposalOf(a, "why")).Marshal()
	accept(t, s, raw, now+9_003)
	log = append(log, sent{raw, now + 9_003})
	for n := range 2 {
		raw := actOf(t, s, net.Hospitals[1-n], approvalOf(t, net.ID, net.Hospitals[1-n], a)).Marshal()
		accept(t, s, raw, now+9_004)
		log = append(log, sent{raw, now + 9_004})
	}
	raw = actOf(t, s, net.Hospitals[2], approve(t, net, a, 1, 2)).Marshal()
	accept(t, s, raw, now+9_005)
	return net.Genesis, append(log, sent{raw, now + 9_005})
}

func foundAgain(t testing.TB, genesis *envelope.Envelope) *state.State {
	t.Helper()
	s, _, err := state.Found(genesis)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSameEnvelopesGiveTheSameStateToTheByte(t *testing.T) {
	genesis, log := history(t)
	voter, mirror := foundAgain(t, genesis), foundAgain(t, genesis)
	restarted := foundAgain(t, genesis)
	for n, e := range log {
		// A mirror knows the log time only; a restarted node begins each time
		// from its snapshot; both see refused envelopes that the voter did not.
		a := accept(t, voter, e.raw, e.leaderTime)
		admit(mirror, log[(n+1)%len(log)].raw, now)
		b := accept(t, mirror, e.raw, a.LogTime)
		restarted = deepCopy(t, restarted)
		c := accept(t, restarted, e.raw, e.leaderTime)
		want := voter.AppendCBOR(nil)
		if !bytes.Equal(mirror.AppendCBOR(nil), want) || !bytes.Equal(restarted.AppendCBOR(nil), want) {
			t.Fatalf("states differ after envelope %d", a.Number)
		}
		for place := range a.Leaves {
			if !bytes.Equal(a.Leaves[place], b.Leaves[place]) || !bytes.Equal(a.Leaves[place], c.Leaves[place]) {
				t.Fatalf("leaf %d of envelope %d differs", place, a.Number)
			}
		}
	}
}

func TestAcceptedEnvelopeGetsItsNumberLeavesAndLogTime(t *testing.T) {
	genesis, log := history(t)
	s := foundAgain(t, genesis)
	_, first, err := state.Found(genesis)
	if err != nil {
		t.Fatal(err)
	}
	tree := &tlog.Frontier{}
	tree.Append(tlog.LeafHash(first.Leaves[0]), nil)
	newest := map[uint32]uint64{1: 0}
	logTime := s.LogTime
	for n, e := range log {
		size := s.Tree.Size()
		a := accept(t, s, e.raw, e.leaderTime)
		env, err := envelope.Decode(e.raw)
		if err != nil {
			t.Fatal(err)
		}
		logTime = max(logTime, e.leaderTime)
		previous, ok := newest[env.Hospital]
		if !ok {
			previous = state.NoPrevious
		}
		newest[env.Hospital] = a.Number
		if a.Number != uint64(n+1) || a.First != size || a.LogTime != logTime || s.LogTime != logTime || a.Previous != previous {
			t.Errorf("envelope %d got %d, first %d, log time %d, previous %d", n+1, a.Number, a.First, a.LogTime, a.Previous)
		}
		if s.Tree.Size() != size+uint64(env.Count) || len(a.Hashes[0]) != int(env.Count) {
			t.Errorf("envelope %d: tree size %d, %d leaf hashes", n+1, s.Tree.Size(), len(a.Hashes[0]))
		}
		for place, c := range env.Commitments() {
			want := envelope.Leaf{
				Version: 1, Kind: env.Kind, Hospital: env.Hospital, Sequence: env.Sequence, Place: uint32(place),
				LogTime: logTime, Envelope: env.ID(), Commitment: c,
			}
			if got, err := envelope.ParseLeaf(a.Leaves[place]); err != nil || got != want {
				t.Errorf("envelope %d place %d: leaf %+v, %v", n+1, place, got, err)
			}
			tree.Append(tlog.LeafHash(a.Leaves[place]), nil)
		}
		if tree.Root() != s.Tree.Root() {
			t.Fatalf("envelope %d: root is not that of its leaves", n+1)
		}
	}
}

func TestOrderOfTwoHospitalsChangesTheRootAndNotWhatIsAccepted(t *testing.T) {
	net, s := found(t)
	one, two := entries(t, s, net.Hospitals[0], 1).Marshal(), entries(t, s, net.Hospitals[1], 1).Marshal()
	a, b := deepCopy(t, s), deepCopy(t, s)
	accept(t, a, one, now)
	accept(t, a, two, now)
	accept(t, b, two, now)
	accept(t, b, one, now)
	if a.Tree.Root() == b.Tree.Root() || a.Tree.Size() != b.Tree.Size() {
		t.Error("two orders, one root")
	}
}

func TestCloneIsNotReachedByLaterChanges(t *testing.T) {
	genesis, log := history(t)
	s := foundAgain(t, genesis)
	accept(t, s, log[0].raw, now)
	clone := s.Clone()
	before := clone.AppendCBOR(nil)
	if !bytes.Equal(before, s.AppendCBOR(nil)) {
		t.Fatal("the clone is another state")
	}
	for _, e := range log[1:4] {
		accept(t, s, e.raw, e.leaderTime)
	}
	if !bytes.Equal(clone.AppendCBOR(nil), before) {
		t.Error("the clone changed with its origin")
	}
	after := s.AppendCBOR(nil)
	accept(t, clone, log[1].raw, now+77_000)
	if !bytes.Equal(s.AppendCBOR(nil), after) {
		t.Error("the origin changed with its clone")
	}
}

func TestMembersNodesAndReadersAreFound(t *testing.T) {
	net, s := found(t)
	for _, number := range []uint32{0, 5, 1 << 31} {
		if _, ok := s.Member(number); ok {
			t.Errorf("institution %d is a member", number)
		}
		if _, ok := s.ReadersFor(number); ok {
			t.Errorf("institution %d has readers", number)
		}
	}
	if n, ok := s.Node("h2"); !ok || n.Institution != 2 {
		t.Errorf("node h2 is %+v, %t", n, ok)
	}
	if _, ok := s.Node("h9"); ok {
		t.Error("node h9 is known")
	}
	set, ok := s.ReadersFor(2)
	if !ok || set.Own.ID() != net.Hospitals[1].Sealing.Public().ID() || len(set.National) != 1 || set.Province != nil ||
		set.National[0].Key.ID() != net.Reader.Sealing.Public().ID() || !set.National[0].Rights.Genetic {
		t.Errorf("readers of hospital 2 are %+v", set)
	}
}

func TestEachHospitalHasTheReaderOfItsProvince(t *testing.T) {
	net, s := found(t)
	key := net.Hospitals[2].Sealing.Public() // any key will do
	s.ReaderSets[0].Provinces = []state.ProvinceReader{{Province: "31", Reader: envelope.Reader{Key: key}}}
	s.Members[1].Province = "31"
	if set, _ := s.ReadersFor(1); set.Province != nil {
		t.Error("a hospital of province 11 has the reader of 31")
	}
	set, _ := s.ReadersFor(2)
	if set.Province == nil || set.Province.Key.ID() != key.ID() {
		t.Error("a hospital of province 31 has no province reader")
	}
	copied := deepCopy(t, s)
	accept(t, copied, entries(t, copied, net.Hospitals[1], 1).Marshal(), now)
}

func FuzzDecode(f *testing.F) {
	genesis, log := history(f)
	s := foundAgain(f, genesis)
	f.Add(s.AppendCBOR(nil))
	accept(f, s, log[0].raw, now)
	f.Add(append(s.AppendCBOR(nil), 1, 2, 3))
	f.Add([]byte{0x95, 0x01})
	f.Fuzz(func(t *testing.T, in []byte) {
		d := cbor.NewDecoder(in)
		s, err := state.Decode(d)
		if err != nil {
			return
		}
		if !bytes.Equal(s.AppendCBOR(nil), in[:d.Pos()]) {
			t.Error("a state that decodes encodes to other bytes")
		}
		if _, r := admit(s, log[0].raw, now); r == nil && s.Network != foundAgain(t, genesis).Network {
			t.Error("another network's state admits an envelope")
		}
	})
}

func TestSnapshotsOfAnotherFormAreRefused(t *testing.T) {
	_, s := found(t)
	good := s.AppendCBOR(nil)
	future := bytes.Clone(good)
	future[1]++
	root := s.Tree.Root()
	other := bytes.Replace(good, root[:], make([]byte, 32), 1)
	for name, in := range map[string][]byte{
		"of a newer release":                 future,
		"with a root that is not its tree's": other,
		"cut in the middle":                  good[:len(good)/2],
		"nothing":                            nil,
	} {
		if _, err := state.Decode(cbor.NewDecoder(in)); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}
