package state_test

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// world is a network in which hospitals 1 and 2 have sent an envelope each, so
// that the next has number 3, with hospital 1's next envelope of two entries.
type world struct {
	t     testing.TB
	net   *foundingtest.Network
	state *state.State
	good  *envelope.Envelope
	key   *sign.PrivateKey // of hospital 1
}

func newWorld(t testing.TB) *world {
	t.Helper()
	net, s := found(t)
	for _, m := range net.Hospitals[:2] {
		accept(t, s, entries(t, s, m, 1).Marshal(), now)
	}
	return &world{t: t, net: net, state: s, good: entries(t, s, net.Hospitals[0], 2), key: net.Hospitals[0].Envelope}
}

// copy returns a world whose state a row may change.
func (w *world) copy() *world {
	c := *w
	c.state = deepCopy(w.t, w.state)
	return &c
}

// header forges the good envelope with another header.
func (w *world) header(change func(*envelope.Header)) []byte {
	return forge(w.t, w.good, w.key, func(h *envelope.Header, _ *[]seal.Body) { change(h) })
}

// act forges hospital 1's next act.
func (w *world) act(change func(*act.Act)) []byte {
	a := unopenable(w.net.Hospitals[0], 1)
	change(&a)
	return actOf(w.t, w.state, w.net.Hospitals[0], a).Marshal()
}

// salts is hospital 1's act that declares a backup with salts.
func (w *world) salts(node string, size, expiry uint64) []byte {
	return w.act(func(a *act.Act) { *a = saltsBackup(node, size, expiry) })
}

// actForm forges an act envelope around a good act.
func (w *world) actForm(change func(*envelope.Header, *[]seal.Body)) []byte {
	return forge(w.t, actOf(w.t, w.state, w.net.Hospitals[0], unopenable(w.net.Hospitals[0], 1)), w.key, change)
}

// secondReaders makes another reader set current from envelope 2 on, and keeps
// the first for as many envelopes as given. The next envelope is number 3.
func (w *world) secondReaders(overlap uint64) {
	k, err := seal.GenerateReader()
	if err != nil {
		w.t.Fatal(err)
	}
	w.state.Policy.ReaderOverlap = overlap
	w.state.ReaderSets = append(w.state.ReaderSets, state.ReaderSet{Number: 2, National: []envelope.Reader{{Key: k.Public()}}})
}

// secondSealingKey gives hospital 1 another sealing key from envelope 2 on.
func (w *world) secondSealingKey(overlap uint64) {
	k, err := seal.GenerateReader()
	if err != nil {
		w.t.Fatal(err)
	}
	w.state.Policy.ReaderOverlap = overlap
	m := &w.state.Members[0]
	m.Institution.Sealing = k.Public()
	m.Sealing[0].To = 2
	m.Sealing = append(m.Sealing, state.SealingSpan{Key: k.Public(), From: 2})
}

// split returns the parts of the good envelope.
func (w *world) split() (header []byte, sig sign.Signature, bodies []seal.Body) {
	sig = w.good.Signature
	return w.good.HeaderBytes, sign.Signature{Ed25519: sig.Ed25519, MLDSA: bytes.Clone(sig.MLDSA)}, append([]seal.Body(nil), w.good.Bodies...)
}

type row struct {
	raw  func(*world) []byte
	want state.Code // "" = accepted
}

var formRows = map[string]row{
	"a byte after the end": {func(w *world) []byte { return append(bytes.Clone(w.good.Marshal()), 0) }, state.CodeEncoding},
	"an array head not in shortest form": {func(w *world) []byte {
		return append([]byte{0x98, 0x04}, w.good.Marshal()[1:]...)
	}, state.CodeEncoding},
	"a header version not in shortest form": {func(w *world) []byte {
		return w.reheader(append([]byte{0x90, 0x18, 0x01}, w.good.HeaderBytes[2:]...))
	}, state.CodeEncoding},
	"a header with null for a field": {func(w *world) []byte {
		return w.reheader(append([]byte{0x90, 0xf6}, w.good.HeaderBytes[2:]...))
	}, state.CodeEncoding},
	"an array of indefinite length":   {func(w *world) []byte { return append([]byte{0x9f}, w.good.Marshal()[1:]...) }, state.CodeEncoding},
	"no bytes":                        {func(w *world) []byte { return nil }, state.CodeEncoding},
	"more bytes than an envelope has": {func(w *world) []byte { return make([]byte, envelope.MaxBytes+1) }, state.CodeSize},
	"a header version of the future":  {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Version = 2 }) }, state.CodeVersion},
	"a suite of the future":           {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Suite = 2 }) }, state.CodeVersion},
	"a kind of the future":            {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Kind = 3 }) }, state.CodeVersion},
	"made for another network":        {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Network[0] ^= 1 }) }, state.CodeNetwork},
}

// reheader puts a header into the good envelope that the codec would not write.
func (w *world) reheader(header []byte) []byte {
	b := cbor.AppendBytes([]byte{0x84}, header)
	_, tail, _ := bytes.Cut(w.good.Marshal(), w.good.HeaderBytes)
	return append(b, tail...)
}

var senderRows = map[string]row{
	"next in line":                  {func(w *world) []byte { return w.good.Marshal() }, ""},
	"an institution without number": {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Hospital = 0 }) }, state.CodeMember},
	"an institution nobody knows":   {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Hospital = 5 }) }, state.CodeMember},
	"a national reader that asks":   {func(w *world) []byte { return entries(w.t, w.state, w.net.Reader, 1).Marshal() }, ""},
	"a reader of another right sending entries": {func(w *world) []byte {
		w.state.Members[3].Rights = act.RightProvince
		return forge(w.t, w.good, w.net.Reader.Envelope, func(h *envelope.Header, _ *[]seal.Body) {
			h.Hospital, h.Sequence, h.Previous, h.KeyID = 4, 1, envelope.ID{}, w.net.Reader.Envelope.Public().ID()
		})
	}, state.CodeRole},
	"signed with another hospital's key": {func(w *world) []byte {
		other := w.net.Hospitals[1].Envelope
		return forge(w.t, w.good, other, func(h *envelope.Header, _ *[]seal.Body) { h.KeyID = other.Public().ID() })
	}, state.CodeKey},
	"signed with another hospital's key in the sender's name": {func(w *world) []byte {
		return forge(w.t, w.good, w.net.Hospitals[1].Envelope, func(*envelope.Header, *[]seal.Body) {})
	}, state.CodeMLDSA},
	"signed with a key that ended": {func(w *world) []byte {
		w.state.Members[0].Signing[0].To = 3
		return w.good.Marshal()
	}, state.CodeKeySpan},
	"signed with a key that ends after this envelope": {func(w *world) []byte {
		w.state.Members[0].Signing[0].To = 4
		return w.good.Marshal()
	}, ""},
	"signed with a key that is not valid yet": {func(w *world) []byte {
		w.state.Members[0].Signing[0].From = 4
		return w.good.Marshal()
	}, state.CodeKeySpan},
	"a sequence used before": {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Sequence-- }) }, state.CodeSequence},
	"a sequence of zero":     {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Sequence = 0 }) }, state.CodeSequence},
	"a sequence that skips":  {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Sequence++ }) }, state.CodeGap},
	"an attempt of zero":     {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Attempt = 0 }) }, state.CodeSequence},
	"built anew":             {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Attempt = 1_790_000_000 }) }, ""},
	"another previous":       {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Previous[0] ^= 1 }) }, state.CodePrevious},
	"another hospital's chain": {func(w *world) []byte {
		return w.header(func(h *envelope.Header) { h.Previous = w.state.Members[1].Chain.ID })
	}, state.CodePrevious},
	"signed ten minutes and a millisecond ahead": {func(w *world) []byte {
		return w.header(func(h *envelope.Header) { h.SignedAt = now + state.MaxAhead + 1 })
	}, state.CodeTime},
	"signed at the end of time": {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.SignedAt = 1<<64 - 1 }) }, state.CodeTime},
	"signed ten minutes ahead":  {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.SignedAt = now + state.MaxAhead }) }, ""},
	"signed years ago":          {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.SignedAt = 1 }) }, ""},
}

var readerRows = map[string]row{
	"a reader set nobody knows": {func(w *world) []byte { return w.header(func(h *envelope.Header) { h.ReaderSet = 1 }) }, state.CodeReaderSet},
	"a replaced reader set in its last envelope": {func(w *world) []byte {
		w.secondReaders(2)
		return w.good.Marshal()
	}, ""},
	"a replaced reader set beyond the overlap": {func(w *world) []byte {
		w.secondReaders(1)
		return w.good.Marshal()
	}, state.CodeReaderSet},
	"the new reader set": {func(w *world) []byte {
		w.secondReaders(1)
		return entries(w.t, w.state, w.net.Hospitals[0], 1).Marshal()
	}, ""},
	"the wraps of the old set under the new number": {func(w *world) []byte {
		w.secondReaders(9)
		return w.header(func(h *envelope.Header) { h.ReaderSet = 2 })
	}, state.CodeWraps},
	"a replaced sealing key in its last envelope": {func(w *world) []byte {
		w.secondSealingKey(2)
		return w.good.Marshal()
	}, ""},
	"a replaced sealing key beyond the overlap": {func(w *world) []byte {
		w.secondSealingKey(1)
		return w.good.Marshal()
	}, state.CodeWraps},
	"the new sealing key": {func(w *world) []byte {
		w.secondSealingKey(1)
		return entries(w.t, w.state, w.net.Hospitals[0], 1).Marshal()
	}, ""},
	"wraps exchanged":      {wraps(func(l []seal.Wrap) []seal.Wrap { return []seal.Wrap{l[1], l[0], l[2], l[3]} }), state.CodeWraps},
	"a slot less":          {wraps(func(l []seal.Wrap) []seal.Wrap { return l[:3] }), state.CodeWraps},
	"a slot more":          {wraps(func(l []seal.Wrap) []seal.Wrap { return append(l, l[3]) }), state.CodeWraps},
	"no wraps":             {wraps(func(l []seal.Wrap) []seal.Wrap { return nil }), state.CodeWraps},
	"no wrap for a reader": {wraps(func(l []seal.Wrap) []seal.Wrap { return []seal.Wrap{l[0], l[2], l[3]} }), state.CodeWraps},
	"a slot that names its reader": {wraps(func(l []seal.Wrap) []seal.Wrap {
		l[3].KeyID = l[1].KeyID
		return l
	}), state.CodeWraps},
	"another hospital's own key": {func(w *world) []byte {
		id := w.state.Members[1].Institution.Sealing.ID()
		return w.header(func(h *envelope.Header) { h.Wraps[0].KeyID = id[:] })
	}, state.CodeWraps},
}

func wraps(change func([]seal.Wrap) []seal.Wrap) func(*world) []byte {
	return func(w *world) []byte { return w.header(func(h *envelope.Header) { h.Wraps = change(h.Wraps) }) }
}

var contentRows = map[string]row{
	"a ciphertext that is no size class": {func(w *world) []byte {
		return forge(w.t, w.good, w.key, func(_ *envelope.Header, b *[]seal.Body) { (*b)[1].Ciphertext = make([]byte, 527) })
	}, state.CodeLength},
	"a ciphertext of the next size class": {func(w *world) []byte {
		return forge(w.t, w.good, w.key, func(_ *envelope.Header, b *[]seal.Body) { (*b)[1].Ciphertext = make([]byte, 1040) })
	}, ""},
	"bodies exchanged": {func(w *world) []byte {
		h, sig, b := w.split()
		b[0], b[1] = b[1], b[0]
		return assemble(w.t, h, sig, b)
	}, state.CodeBodies},
	"a salt that is another": {func(w *world) []byte {
		h, sig, b := w.split()
		b[0].Salt[0] ^= 1
		return assemble(w.t, h, sig, b)
	}, state.CodeBodies},
	"the Ed25519 half stripped": {func(w *world) []byte {
		h, sig, b := w.split()
		sig.Ed25519 = [64]byte{}
		return assemble(w.t, h, sig, b)
	}, state.CodeEd25519},
	"the ML-DSA half stripped": {func(w *world) []byte {
		h, sig, b := w.split()
		clear(sig.MLDSA)
		return assemble(w.t, h, sig, b)
	}, state.CodeMLDSA},
	"both halves stripped": {func(w *world) []byte {
		h, sig, b := w.split()
		sig.Ed25519 = [64]byte{}
		clear(sig.MLDSA)
		return assemble(w.t, h, sig, b)
	}, state.CodeMLDSA},
}

var actRows = map[string]row{
	"an unopenable act by a hospital": {func(w *world) []byte { return w.act(func(*act.Act) {}) }, ""},
	"an unopenable act by a reader": {func(w *world) []byte {
		return actOf(w.t, w.state, w.net.Reader, unopenable(w.net.Reader, 2)).Marshal()
	}, ""},
	"an act with a salt": {func(w *world) []byte {
		return w.actForm(func(_ *envelope.Header, b *[]seal.Body) { (*b)[0].Salt[3] = 1 })
	}, state.CodeActForm},
	"an act with a tag": {func(w *world) []byte {
		return w.actForm(func(_ *envelope.Header, b *[]seal.Body) { (*b)[0].Tag[3] = 1 })
	}, state.CodeActForm},
	"two acts in one envelope": {func(w *world) []byte {
		return w.actForm(func(_ *envelope.Header, b *[]seal.Body) { *b = append(*b, (*b)[0]) })
	}, state.CodeActForm},
	"an act with a clinical key": {func(w *world) []byte { return w.actForm(func(h *envelope.Header, _ *[]seal.Body) { h.CommitC[0] = 1 }) }, state.CodeActForm},
	"an act with a genetic key":  {func(w *world) []byte { return w.actForm(func(h *envelope.Header, _ *[]seal.Body) { h.CommitG[0] = 1 }) }, state.CodeActForm},
	"an act with a wrap": {func(w *world) []byte {
		return w.actForm(func(h *envelope.Header, _ *[]seal.Body) { h.Wraps = w.good.Wraps[:1] })
	}, state.CodeActForm},
	"an act with a reader set": {func(w *world) []byte { return w.actForm(func(h *envelope.Header, _ *[]seal.Body) { h.ReaderSet = 1 }) }, state.CodeActForm},
	"an act above its limit": {func(w *world) []byte {
		return w.actForm(func(_ *envelope.Header, b *[]seal.Body) { (*b)[0].Ciphertext = make([]byte, act.MaxBytes+1) })
	}, state.CodeSize},
	"an act that is not CBOR": {func(w *world) []byte {
		return w.actForm(func(_ *envelope.Header, b *[]seal.Body) { (*b)[0].Ciphertext = []byte("act") })
	}, state.CodeEncoding},
	"an act not in shortest form": {func(w *world) []byte {
		return w.actForm(func(_ *envelope.Header, b *[]seal.Body) {
			(*b)[0].Ciphertext = append([]byte{0x98, 6}, (*b)[0].Ciphertext[1:]...)
		})
	}, state.CodeEncoding},
	"an act version of the future": {func(w *world) []byte { return w.act(func(a *act.Act) { a.Version = 2 }) }, state.CodeActType},
	"an act type of the future":    {func(w *world) []byte { return w.act(func(a *act.Act) { a.Type = 999 }) }, state.CodeActType},
	"a second genesis":             {func(w *world) []byte { return w.act(func(a *act.Act) { a.Type = act.TypeGenesis }) }, state.CodeActPayload},
	"a payload that is not CBOR":   {func(w *world) []byte { return w.act(func(a *act.Act) { a.Payload = []byte("?") }) }, state.CodeActPayload},
	"unopenable, of its own envelope": {func(w *world) []byte {
		return w.act(func(a *act.Act) { *a = unopenable(w.net.Hospitals[0], 3) })
	}, state.CodeActPayload},
	"unopenable, in another reader's name": {func(w *world) []byte {
		return w.act(func(a *act.Act) { *a = unopenable(w.net.Reader, 1) })
	}, state.CodeActPayload},
	"unopenable, with an expiry":        {func(w *world) []byte { return w.act(func(a *act.Act) { a.Expiry = 1 }) }, state.CodeActApproval},
	"unopenable, with a roster version": {func(w *world) []byte { return w.act(func(a *act.Act) { a.RosterVersion = 1 }) }, state.CodeActApproval},
	"unopenable, with an approval": {func(w *world) []byte {
		return w.act(func(a *act.Act) {
			p, err := a.Approve(w.net.ID, 2, w.net.Hospitals[1].Envelope)
			if err != nil {
				w.t.Fatal(err)
			}
			a.Approvals = []act.Approval{p}
		})
	}, state.CodeActApproval},
	"a salts backup of the sender's node":      {func(w *world) []byte { return w.salts("h1", 3, now+1) }, ""},
	"a salts backup that lasts as long as may": {func(w *world) []byte { return w.salts("h1", 3, now+act.MaxSaltsLife) }, ""},
	"a salts backup of another's node":         {func(w *world) []byte { return w.salts("h2", 3, now+1) }, state.CodeActPayload},
	"a salts backup of no node":                {func(w *world) []byte { return w.salts("h9", 3, now+1) }, state.CodeActPayload},
	"a salts backup of nothing":                {func(w *world) []byte { return w.salts("h1", 0, now+1) }, state.CodeActPayload},
	"a salts backup beyond the log":            {func(w *world) []byte { return w.salts("h1", 4, now+1) }, state.CodeActPayload},
	"a salts backup that has expired":          {func(w *world) []byte { return w.salts("h1", 3, now) }, state.CodeActPayload},
	"a salts backup that lasts too long":       {func(w *world) []byte { return w.salts("h1", 3, now+act.MaxSaltsLife+1) }, state.CodeActPayload},
	"a salts backup that is not CBOR": {func(w *world) []byte {
		return w.act(func(a *act.Act) { a.Type, a.Payload = act.TypeSaltsBackup, []byte("?") })
	}, state.CodeActPayload},
	"a salts backup with an expiry of the act": {func(w *world) []byte {
		return w.act(func(a *act.Act) { *a = saltsBackup("h1", 3, now+1); a.Expiry = now + 1 })
	}, state.CodeActApproval},
}

func TestEnvelopesAreAcceptedOrRefusedByName(t *testing.T) {
	origin := newWorld(t)
	seen := map[state.Code]bool{state.CodeFork: true} // needs the ledger: consensus/machine
	for _, table := range []map[string]row{formRows, senderRows, readerRows, contentRows, actRows} {
		for name, tc := range table {
			w := origin.copy()
			raw := tc.raw(w)
			before := w.state.AppendCBOR(nil)
			_, r := admit(w.state, raw, now)
			got := state.Code("")
			if r != nil {
				got = r.Code
			}
			if got != tc.want {
				t.Errorf("%s: got %v, want %q", name, r, tc.want)
			}
			if !bytes.Equal(w.state.AppendCBOR(nil), before) {
				t.Errorf("%s: asking changed the state", name)
			}
			seen[got] = true
			checkVerifiedPath(t, name, w.state, raw, tc.want)
		}
	}
	for _, c := range allCodes {
		if !seen[c] {
			t.Errorf("no row reaches %s", c)
		}
	}
}

var allCodes = []state.Code{
	state.CodeEncoding, state.CodeSize, state.CodeVersion, state.CodeNetwork, state.CodeMember, state.CodeRole, state.CodeKey,
	state.CodeKeySpan, state.CodeSequence, state.CodeGap, state.CodePrevious, state.CodeFork, state.CodeTime, state.CodeReaderSet,
	state.CodeWraps, state.CodeLength, state.CodeBodies, state.CodeEd25519, state.CodeMLDSA, state.CodeActForm, state.CodeActType,
	state.CodeActPayload, state.CodeActApproval,
}

// checkVerifiedPath says that bytes verified before get the answer they would
// get anew, whatever changed in between.
func checkVerifiedPath(t *testing.T, name string, s *state.State, raw []byte, want state.Code) {
	t.Helper()
	e, err := envelope.Decode(raw)
	if err != nil {
		return
	}
	switch want {
	case state.CodeLength, state.CodeBodies, state.CodeEd25519, state.CodeMLDSA: // never verified
		return
	}
	_, r := s.AdmitVerified(e, now)
	if got := code(r); got != want {
		t.Errorf("%s, verified before: got %v, want %q", name, r, want)
	}
}

func code(r *state.Refusal) state.Code {
	if r == nil {
		return ""
	}
	return r.Code
}

func TestRefusalReadsAsCodeAndReason(t *testing.T) {
	w := newWorld(t)
	_, r := admit(w.state, w.header(func(h *envelope.Header) { h.Sequence = 9 }), now)
	if want := "SEQ002: sequence 9 skips ahead, next is 3"; r == nil || r.Error() != want {
		t.Errorf("got %v, want %q", r, want)
	}
}
