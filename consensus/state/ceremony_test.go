package state_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

const hour = 3_600_000

// ceremony is a network of three holders on the way to its key.
type ceremony struct {
	t        *testing.T
	net      *foundingtest.Network
	s        *state.State
	keys     [3]*keyshare.CeremonyKey
	dealings [3]*keyshare.Dealing
}

func newCeremony(t *testing.T) *ceremony {
	t.Helper()
	net := foundingtest.NewKeyless(t, 3)
	s, _, err := state.Found(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	return &ceremony{t: t, net: net, s: s}
}

func (c *ceremony) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// try admits an act by hospital n, and accepts it if it may be.
func (c *ceremony) try(n int, a act.Act) *state.Refusal {
	c.t.Helper()
	raw := actOf(c.t, c.s, c.net.Hospitals[n-1], a).Marshal()
	if _, r := admit(c.s, raw, now); r != nil {
		return r
	}
	accept(c.t, c.s, raw, now)
	return nil
}

func (c *ceremony) post(n int, typ act.Type, payload []byte) *state.Refusal {
	c.t.Helper()
	return c.try(n, act.Act{Version: act.Version, Type: typ, Payload: payload})
}

func (c *ceremony) ok(r *state.Refusal) {
	c.t.Helper()
	if r != nil {
		c.t.Fatal(r)
	}
}

func (c *ceremony) number() uint64 { return c.s.Ceremony.Number }

func (c *ceremony) opening() *act.Ceremony {
	return &act.Ceremony{Epoch: 1, Threshold: 2, Holders: []uint32{1, 2, 3}, Deadline: now + hour}
}

func (c *ceremony) open() { c.t.Helper(); c.ok(c.post(1, act.TypeCeremony, c.opening().Marshal())) }

func (c *ceremony) join(n int) *act.Join {
	c.t.Helper()
	var err error
	c.keys[n-1], err = keyshare.NewCeremonyKey()
	c.must(err)
	c.dealings[n-1], err = keyshare.NewDealing(c.s.Run(c.s.Ceremony), uint16(n), rand.Reader)
	c.must(err)
	keys, err := c.keys[n-1].Public(c.s.Run(c.s.Ceremony))
	c.must(err)
	return &act.Join{Ceremony: c.number(), Keys: keys, Commit: c.dealings[n-1].Commit()}
}

func (c *ceremony) joinAll() {
	c.t.Helper()
	for n := 1; n <= 3; n++ {
		c.ok(c.post(n, act.TypeJoin, c.join(n).Marshal()))
	}
}

func (c *ceremony) deal(n int) *act.Deal {
	c.t.Helper()
	deal, err := c.dealings[n-1].Deal(c.s.Ceremony.KeysFor(uint16(n)))
	c.must(err)
	return &act.Deal{Ceremony: c.number(), Deal: deal}
}

// reveal is the seed of holder n's key for a dealer.
func (c *ceremony) reveal(n int, dealer uint16) [32]byte {
	return c.keys[n-1].Reveal(c.s.Run(c.s.Ceremony), dealer)
}

func (c *ceremony) dealAll() {
	c.t.Helper()
	for n := 1; n <= 3; n++ {
		c.ok(c.post(n, act.TypeDeal, c.deal(n).Marshal()))
	}
}

func (c *ceremony) confirm() *act.Confirm {
	return &act.Confirm{Ceremony: c.number(), Transcript: c.s.Transcript(c.s.Ceremony)}
}

func (c *ceremony) confirmAll() {
	c.t.Helper()
	for n := 1; n <= 3; n++ {
		c.ok(c.post(n, act.TypeConfirm, c.confirm().Marshal()))
	}
}

// checkpoint is one of the present tree by the given cosigners.
func (c *ceremony) checkpoint(cosigners ...int) []byte {
	c.t.Helper()
	cp := tlog.Checkpoint{Origin: c.s.Origin(), Size: c.s.Tree.Size(), Root: c.s.Tree.Root()}
	leader, err := tlog.NewLogSigner(cp.Origin, c.net.Hospitals[0].Log.Ed25519())
	c.must(err)
	sig, err := leader.Sign(cp)
	c.must(err)
	sc := tlog.SignedCheckpoint{Checkpoint: cp, Signatures: []tlog.NoteSignature{sig}}
	for _, n := range cosigners {
		m := c.net.Hospitals[n-1]
		signer, err := tlog.NewCosigner(c.s.CosignerName(m.Node), m.Cosign.Ed25519(), m.Cosign.MLDSA44())
		c.must(err)
		sigs, err := signer.Cosign(cp, now/1000)
		c.must(err)
		sc.Signatures = append(sc.Signatures, sigs...)
	}
	return sc.Marshal()
}

func (c *ceremony) activate(note []byte) *state.Refusal {
	c.t.Helper()
	return c.post(2, act.TypeActivate, (&act.Activate{Ceremony: c.number(), Checkpoint: note}).Marshal())
}

func TestACeremonyBringsItsKeyIntoForce(t *testing.T) {
	c := newCeremony(t)
	stages := []func(){c.open, c.joinAll, c.dealAll, c.confirmAll, func() { c.ok(c.activate(c.checkpoint(1, 2, 3))) }}
	for _, stage := range stages {
		if c.s.OPRF.Holders != 0 {
			t.Fatal("a key is in force before the activation")
		}
		stage()
		c.s = deepCopy(t, c.s) // as after a snapshot
	}
	if c.s.OPRF.Epoch != 1 || c.s.OPRF.Origin != keyshare.DKG || c.s.OPRF.Validate() != nil || c.s.OPRF.KeyID != keyshare.KeyID(c.s.Network, c.s.OPRF.PublicKey()) {
		t.Errorf("the key is %+v", c.s.OPRF)
	}
	if e := c.s.Ceremony; e.Ended != state.Activated || len(e.Deals)+len(e.Joins)+len(e.Confirmed) != 0 {
		t.Errorf("of the ceremony stays %+v", e)
	}
	c.ok(c.post(3, act.TypeCanary, (&act.Canary{Epoch: 1, Hash: [32]byte{1}}).Marshal()))
	if r := c.post(3, act.TypeCanary, (&act.Canary{Epoch: 1, Hash: [32]byte{1}}).Marshal()); r == nil || !strings.Contains(r.Detail, "is known") {
		t.Errorf("a second canary of an epoch: %v", r)
	}
	if r := c.post(1, act.TypeCeremony, c.opening().Marshal()); r == nil || !strings.Contains(r.Detail, "the next epoch is 2") {
		t.Errorf("a second key: %v", r)
	}
}

func TestAComplaintEndsTheCeremonyAndNamesWhoLied(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil  func(c *ceremony, l *act.Deal)
		accuse uint16
		ended  state.Ending
		blamed uint32
	}{
		"a false share": {func(_ *ceremony, l *act.Deal) {
			l.Deal.Sealed[0], l.Deal.Sealed[2] = l.Deal.Sealed[2], l.Deal.Sealed[0]
		}, 2, state.Lied, 2},
		"bytes that do not open": {func(_ *ceremony, l *act.Deal) { l.Deal.Sealed[0][40] ^= 1 }, 2, state.Lied, 2},
		"a good share":           {func(*ceremony, *act.Deal) {}, 2, state.Slandered, 1},
		"another's good share":   {func(*ceremony, *act.Deal) {}, 3, state.Slandered, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCeremony(t)
			c.open()
			c.joinAll()
			c.ok(c.post(1, act.TypeDeal, c.deal(1).Marshal()))
			l := c.deal(2)
			tc.spoil(c, l)
			c.ok(c.post(2, act.TypeDeal, l.Marshal()))
			c.ok(c.post(3, act.TypeDeal, c.deal(3).Marshal()))
			c.ok(c.post(1, act.TypeComplaint, (&act.Complaint{Ceremony: c.number(), Accused: tc.accuse, Seed: c.reveal(1, tc.accuse)}).Marshal()))
			if e := c.s.Ceremony; e.Ended != tc.ended || e.Blamed != tc.blamed || e.EndedAt != c.s.Envelopes-1 {
				t.Errorf("ended %v, blamed %d, at %d of %d", e.Ended, e.Blamed, e.EndedAt, c.s.Envelopes)
			}
			c.s = deepCopy(t, c.s)
			if r := c.post(2, act.TypeConfirm, (&act.Confirm{Ceremony: c.number()}).Marshal()); r == nil || !strings.Contains(r.Detail, "not under way") {
				t.Errorf("a void ceremony goes on: %v", r)
			}
			c.open() // and another may begin
		})
	}
}

func TestCeremonyActsAreRefusedByName(t *testing.T) {
	join := func(c *ceremony, change func(*act.Join)) []byte {
		j := c.join(1)
		change(j)
		return j.Marshal()
	}
	deal := func(c *ceremony, n int, change func(*act.Deal)) []byte {
		l := c.deal(n)
		change(l)
		return l.Marshal()
	}
	opening := func(change func(*act.Ceremony)) func(*ceremony) *state.Refusal {
		return func(c *ceremony) *state.Refusal {
			o := c.opening()
			change(o)
			return c.post(1, act.TypeCeremony, o.Marshal())
		}
	}
	none, opened, joined, dealt, confirmed := func(*ceremony) {}, (*ceremony).open,
		func(c *ceremony) { c.open(); c.joinAll() }, func(c *ceremony) { c.open(); c.joinAll(); c.dealAll() },
		func(c *ceremony) { c.open(); c.joinAll(); c.dealAll(); c.confirmAll() }
	for name, tc := range map[string]struct {
		to   func(*ceremony)
		post func(*ceremony) *state.Refusal
		want string
	}{
		"another's holders": {none, opening(func(o *act.Ceremony) { o.Holders = []uint32{1, 2, 4} }), "the genesis names"},
		"another threshold": {none, opening(func(o *act.Ceremony) { o.Threshold = 3 }), "the genesis names"},
		"a later epoch":     {none, opening(func(o *act.Ceremony) { o.Epoch = 2 }), "the next epoch is 1"},
		"no time":           {none, opening(func(o *act.Ceremony) { o.Deadline = now + 1000 }), "a minute to 30 days"},
		"a year":            {none, opening(func(o *act.Ceremony) { o.Deadline = now + 365*24*hour }), "a minute to 30 days"},
		"a second at once":  {opened, opening(func(*act.Ceremony) {}), "is under way"},
		"opened by a reader": {none, func(c *ceremony) *state.Refusal {
			_, r := admit(c.s, actOf(c.t, c.s, c.net.Reader, act.Act{Version: 1, Type: act.TypeCeremony, Payload: c.opening().Marshal()}).Marshal(), now)
			return r
		}, "is no holder"},
		"joining nothing": {none, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeJoin, (&act.Join{Ceremony: 7}).Marshal()) }, "not under way"},
		"joining another": {opened, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeJoin, join(c, func(j *act.Join) { j.Ceremony++ }))
		}, "not under way"},
		"joining without commit": {opened, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeJoin, join(c, func(j *act.Join) { j.Commit = [32]byte{} }))
		}, "a commitment is due"},
		"a key that is none": {opened, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeJoin, join(c, func(j *act.Join) {
				for i := range 1184 {
					j.Keys[1][i] = 0xff
				}
			}))
		}, "KS"},
		"joining twice": {joined, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeJoin, c.join(1).Marshal()) }, "has joined"},
		"a key too few": {opened, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeJoin, join(c, func(j *act.Join) { j.Keys = j.Keys[:2] }))
		}, "KS005"},
		"dealing early": {func(c *ceremony) { c.open(); c.ok(c.post(1, act.TypeJoin, c.join(1).Marshal())); c.join(2) }, func(c *ceremony) *state.Refusal {
			keys, err := c.keys[0].Public(c.s.Run(c.s.Ceremony))
			c.must(err)
			d, err := c.dealings[0].Deal(keys)
			c.must(err)
			return c.post(1, act.TypeDeal, (&act.Deal{Ceremony: c.number(), Deal: d}).Marshal())
		}, "not every holder has joined"},
		"dealing as another": {joined, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeDeal, c.deal(2).Marshal()) }, "deals as dealer 1, not 2"},
		"dealing otherwise":  {joined, func(c *ceremony) *state.Refusal { c.join(1); return c.post(1, act.TypeDeal, c.deal(1).Marshal()) }, "KS"},
		"a share missing": {joined, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeDeal, deal(c, 1, func(l *act.Deal) { l.Deal.Sealed = l.Deal.Sealed[:2] }))
		}, "KS"},
		"a commitment changed": {joined, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeDeal, deal(c, 1, func(l *act.Deal) { l.Deal.Commitments[1] = l.Deal.Commitments[0] }))
		}, "KS"},
		"dealing twice":    {func(c *ceremony) { c.open(); c.joinAll(); c.ok(c.post(1, act.TypeDeal, c.deal(1).Marshal())) }, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeDeal, c.deal(1).Marshal()) }, "has dealt"},
		"confirming early": {joined, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeConfirm, c.confirm().Marshal()) }, "not every dealer has dealt"},
		"confirming another run": {dealt, func(c *ceremony) *state.Refusal {
			f := c.confirm()
			f.Transcript[0] ^= 1
			return c.post(1, act.TypeConfirm, f.Marshal())
		}, "another run"},
		"confirming twice":        {confirmed, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeConfirm, c.confirm().Marshal()) }, "has confirmed"},
		"activating early":        {dealt, func(c *ceremony) *state.Refusal { return c.activate(c.checkpoint(1, 2, 3)) }, "not every holder has confirmed"},
		"without one cosignature": {confirmed, func(c *ceremony) *state.Refusal { return c.activate(c.checkpoint(1, 2)) }, "holder 3"},
		"with a note of nonsense": {confirmed, func(c *ceremony) *state.Refusal { return c.activate([]byte("nonsense")) }, "checkpoint"},
		"with an old checkpoint": {func(c *ceremony) { c.open(); c.joinAll(); c.dealAll() }, func(c *ceremony) *state.Refusal {
			old := c.checkpoint(1, 2, 3)
			c.confirmAll()
			return c.activate(old)
		}, "does not cover"},
		"a complaint with another's seed": {dealt, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeComplaint, (&act.Complaint{Ceremony: c.number(), Accused: 2, Seed: c.reveal(2, 2)}).Marshal())
		}, "KS"},
		"evidence against nobody": {dealt, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeComplaint, (&act.Complaint{Ceremony: c.number(), Seed: [32]byte{1}}).Marshal())
		}, "against nobody"},
		"a complaint of a dealer that is not": {joined, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeComplaint, (&act.Complaint{Ceremony: c.number(), Accused: 3, Seed: c.reveal(1, 3)}).Marshal())
		}, "has not dealt"},
		"giving up before joining": {opened, func(c *ceremony) *state.Refusal {
			return c.post(1, act.TypeComplaint, (&act.Complaint{Ceremony: c.number()}).Marshal())
		}, "has not joined"},
		"a canary without a key": {none, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeCanary, (&act.Canary{Epoch: 1}).Marshal()) }, "the key of 0"},
		"nonsense":               {opened, func(c *ceremony) *state.Refusal { return c.post(1, act.TypeJoin, []byte{0x80}) }, "join"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCeremony(t)
			tc.to(c)
			r := tc.post(c)
			if r == nil || r.Code != state.CodeActPayload && r.Code != state.CodeActApproval || !strings.Contains(r.Detail, tc.want) {
				t.Errorf("got %v, want %q", r, tc.want)
			}
		})
	}
}

// TestAReshareNeedsTheLeadHospitalsAndFitHolders on a network whose key was
// dealt.
func TestAReshareNeedsTheLeadHospitalsAndFitHolders(t *testing.T) {
	valid := act.Ceremony{Epoch: 2, Threshold: 2, Holders: []uint32{3, 1}, Deadline: now + hour}
	for name, tc := range map[string]struct {
		change func(s *state.State, o *act.Ceremony)
		by     []int
		want   string // "" = it opens
	}{
		"as it should be":       {func(*state.State, *act.Ceremony) {}, []int{1, 2}, ""},
		"one approval":          {func(*state.State, *act.Ceremony) {}, []int{1}, "1 approvals of 2"},
		"a minority":            {func(_ *state.State, o *act.Ceremony) { o.Threshold = 1 }, []int{1, 2}, "want a majority"},
		"more than there are":   {func(_ *state.State, o *act.Ceremony) { o.Threshold = 3 }, []int{1, 2}, "want a majority"},
		"nobody":                {func(_ *state.State, o *act.Ceremony) { o.Holders = nil }, []int{1, 2}, "want a majority"},
		"a reader":              {func(_ *state.State, o *act.Ceremony) { o.Holders[0] = 4 }, []int{1, 2}, "institution 4 is no hospital"},
		"a stranger":            {func(_ *state.State, o *act.Ceremony) { o.Holders[0] = 9 }, []int{1, 2}, "institution 9 is no hospital"},
		"one twice":             {func(_ *state.State, o *act.Ceremony) { o.Holders[0] = 1 }, []int{1, 2}, "its entity holds two shares"},
		"an entity of a reader": {func(s *state.State, _ *act.Ceremony) { s.Members[2].Entity = s.Members[3].Entity }, []int{1, 2}, "is a national reader"},
		"no voter":              {func(s *state.State, _ *act.Ceremony) { s.Nodes[2].Kind = act.Mirror }, []int{1, 2}, "has no voter"},
		"one alone, no demo": {func(s *state.State, o *act.Ceremony) {
			s.Demo = false
			o.Holders, o.Threshold = []uint32{1}, 1
		}, []int{1, 2}, "for demo networks only"},
	} {
		t.Run(name, func(t *testing.T) {
			net, s := found(t)
			o := valid
			o.Holders = append([]uint32(nil), valid.Holders...)
			tc.change(s, &o)
			a := approve(t, net, act.Act{
				Version: act.Version, Type: act.TypeCeremony, RosterVersion: s.RosterVersion, Expiry: now + hour, Payload: o.Marshal(),
			}, tc.by...)
			_, r := admit(s, actOf(t, s, net.Hospitals[0], a).Marshal(), now)
			if tc.want == "" && r != nil || tc.want != "" && (r == nil || !strings.Contains(r.Detail, tc.want)) {
				t.Errorf("got %v, want %q", r, tc.want)
			}
		})
	}
}
