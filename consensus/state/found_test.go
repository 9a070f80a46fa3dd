package state_test

import (
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

func TestGenesisThatIsNotEveryFoundersFoundsNothing(t *testing.T) {
	net, s := found(t)
	first, second := net.Hospitals[0].Envelope, net.Hospitals[1].Envelope
	header := func(change func(*envelope.Header)) []byte {
		return forge(t, net.Genesis, first, func(h *envelope.Header, _ *[]seal.Body) { change(h) })
	}
	// An act that is changed makes another network, for which nobody approved.
	content := func(change func(*act.Act)) []byte {
		return forge(t, net.Genesis, first, func(h *envelope.Header, b *[]seal.Body) {
			a, err := act.Decode((*b)[0].Ciphertext)
			if err != nil {
				t.Fatal(err)
			}
			change(a)
			h.Network, (*b)[0].Ciphertext = a.NetworkID(), a.Marshal()
		})
	}
	payload := func(change func(*act.Genesis)) []byte {
		return content(func(a *act.Act) {
			g, err := act.DecodeGenesis(a.Payload)
			if err != nil {
				t.Fatal(err)
			}
			change(g)
			a.Payload = g.Marshal()
		})
	}
	stripped := net.Genesis.Signature
	stripped.MLDSA = make([]byte, 3309)
	for name, tc := range map[string]struct {
		raw  []byte
		want string // "" = founded
	}{
		"as founded":                    {net.Genesis.Marshal(), ""},
		"a founder's approval missing":  {content(func(a *act.Act) { a.Approvals = a.Approvals[:3] }), "3 approvals of 4 founders"},
		"no approvals":                  {content(func(a *act.Act) { a.Approvals = nil }), "0 approvals"},
		"an approval by a guest":        {content(func(a *act.Act) { a.Approvals[3].Hospital = 9 }), "approval by 9, who is no founder"},
		"an approval in another's name": {content(func(a *act.Act) { a.Approvals[2].KeyID = a.Approvals[1].KeyID }), "approval by 3"},
		"a roster changed after it":     {payload(func(g *act.Genesis) { g.Institutions[3].Rights = act.RightNational }), "approval by 1"},
		"a policy changed after it":     {payload(func(g *act.Genesis) { g.Policy.MinCell = 3 }), "approval by 1"},
		"a quorum nobody can reach":     {payload(func(g *act.Genesis) { g.Quorum = 9 }), "q = 9"},
		"an expiry":                     {content(func(a *act.Act) { a.Expiry = 1 }), "no expiry"},
		"a roster version":              {content(func(a *act.Act) { a.RosterVersion = 1 }), "roster version 0"},
		"act version 2":                 {content(func(a *act.Act) { a.Version = 2 }), "version 2"},
		"another type of act":           {content(func(a *act.Act) { a.Type = act.TypeUnopenable }), "act of unopenable"},
		"a payload that is not CBOR":    {content(func(a *act.Act) { a.Payload = nil }), "ENC001"},
		"sent by hospital 2":            {forge(t, net.Genesis, second, func(h *envelope.Header, _ *[]seal.Body) { h.Hospital, h.KeyID = 2, second.Public().ID() }), "sent by hospital 1"},
		"signed by hospital 2":          {forge(t, net.Genesis, second, func(*envelope.Header, *[]seal.Body) {}), "SIG002"},
		"its ML-DSA half stripped":      {assemble(t, net.Genesis.HeaderBytes, stripped, net.Genesis.Bodies), "SIG002"},
		"its Ed25519 half stripped":     {assemble(t, net.Genesis.HeaderBytes, sign.Signature{MLDSA: net.Genesis.Signature.MLDSA}, net.Genesis.Bodies), "SIG001"},
		"as sequence 2":                 {header(func(h *envelope.Header) { h.Sequence = 2 }), "sequence 1"},
		"as attempt 2":                  {header(func(h *envelope.Header) { h.Attempt = 2 }), "attempt 1"},
		"after another envelope":        {header(func(h *envelope.Header) { h.Previous[0] = 1 }), "SEQ003"},
		"for another network":           {header(func(h *envelope.Header) { h.Network[0] ^= 1 }), "NET001"},
		"with a suite of the future":    {header(func(h *envelope.Header) { h.Suite = 2 }), "VER001"},
		"with a reader set":             {header(func(h *envelope.Header) { h.ReaderSet = 1 }), "ACT001"},
		"as entries":                    {header(func(h *envelope.Header) { h.Kind = envelope.KindEntries }), "not an act"},
		"an envelope of a hospital":     {entries(t, s, net.Hospitals[0], 1).Marshal(), "not an act"},
		"a later act":                   {actOf(t, s, net.Hospitals[0], unopenable(net.Hospitals[0], 0)).Marshal(), "act of unopenable"},
	} {
		e, err := envelope.Decode(tc.raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, _, err = state.Found(e)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestGenesisIsAcceptedOnce(t *testing.T) {
	net, s := found(t)
	if _, r := admit(s, net.Genesis.Marshal(), now); code(r) != state.CodeSequence {
		t.Errorf("got %v, want SEQ001", r)
	}
}
