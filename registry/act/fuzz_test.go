package act_test

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

func FuzzDecode(f *testing.F) {
	a, _, _ := founded(f)
	f.Add(a.Marshal())
	f.Add((&act.Act{Version: 1, Type: 2, Payload: []byte{1}}).Marshal())
	f.Add([]byte{0x86, 1, 1, 0, 0, 0x40, 0x80})
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := act.Decode(in)
		if err == nil && !bytes.Equal(a.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, a.Marshal())
		}
	})
}

func FuzzDecodeGenesis(f *testing.F) {
	a, _, _ := founded(f)
	f.Add(a.Payload)
	f.Add([]byte{0x8d, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		g, err := act.DecodeGenesis(in)
		if err != nil {
			return
		}
		if !bytes.Equal(g.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, g.Marshal())
		}
		_ = g.Validate() // must not panic, whatever it says
	})
}

func FuzzDecodeUnopenable(f *testing.F) {
	f.Add(act.Unopenable{Envelope: 3, Place: 1, Reader: seal.KeyID{1}, Code: "SEAL002"}.Marshal())
	f.Add([]byte{0x84})
	f.Fuzz(func(t *testing.T, in []byte) {
		u, err := act.DecodeUnopenable(in)
		if err == nil && !bytes.Equal(u.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, u.Marshal())
		}
	})
}

func FuzzDecodeSaltsBackup(f *testing.F) {
	f.Add(act.SaltsBackup{Node: "h1", Size: 3, Expiry: 1_790_000_000_000}.Marshal())
	f.Add([]byte{0x83})
	f.Fuzz(func(t *testing.T, in []byte) {
		b, err := act.DecodeSaltsBackup(in)
		if err == nil && !bytes.Equal(b.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, b.Marshal())
		}
	})
}

func FuzzDecodeAdmission(f *testing.F) {
	f.Add(newcomer(f).Marshal())
	f.Add([]byte{0x82})
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := act.DecodeAdmission(in)
		if err != nil {
			return
		}
		if !bytes.Equal(a.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, a.Marshal())
		}
		_ = a.Validate() // must not panic, whatever it says
	})
}

func FuzzDecodeProposal(f *testing.F) {
	core := (&act.Act{Version: act.Version, Type: act.TypeAdmission, RosterVersion: 1, Expiry: 9, Payload: newcomer(f).Marshal()}).Core()
	f.Add(act.Proposal{Core: core, Reason: "新医院"}.Marshal())
	f.Add([]byte{0x82, 0x40, 0x60})
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := act.DecodeProposal(in)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, p.Marshal())
		}
		if a, err := act.DecodeCore(p.Core); err == nil && !bytes.Equal(a.Core(), p.Core) {
			t.Errorf("core %x encodes back to %x", p.Core, a.Core())
		}
	})
}

func FuzzDecodeProposalApproval(f *testing.F) {
	f.Add(act.ProposalApproval{Approval: act.Approval{Hospital: 2, Signature: sign.Signature{MLDSA: make([]byte, 3309)}}}.Marshal())
	f.Add([]byte{0x82})
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := act.DecodeProposalApproval(in)
		if err == nil && !bytes.Equal(p.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, p.Marshal())
		}
	})
}

func FuzzDecodeRotation(f *testing.F) {
	r, _ := rotation(f)
	f.Add(r.Marshal())
	f.Add((&act.Rotation{Institution: 1, Request: newKey(f, sign.PurposeRequest)}).Marshal())
	f.Add([]byte{0x85})
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := act.DecodeRotation(in)
		if err != nil {
			return
		}
		if !bytes.Equal(r.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, r.Marshal())
		}
		_ = r.Validate() // must not panic, whatever it says
	})
}

func FuzzDecodeRevocation(f *testing.F) {
	f.Add(act.Revocation{Institution: 1, Key: [32]byte{2}, Since: 3}.Marshal())
	f.Add([]byte{0x83})
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := act.DecodeRevocation(in)
		if err == nil && !bytes.Equal(r.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, r.Marshal())
		}
	})
}

func FuzzDecodeGrant(f *testing.F) {
	f.Add((&act.Grant{Recipient: 4, Keys: []act.Granted{{Envelope: 1}, {Envelope: 3}}}).Marshal())
	f.Add([]byte{0x84})
	f.Fuzz(func(t *testing.T, in []byte) {
		g, err := act.DecodeGrant(in)
		if err != nil {
			return
		}
		if !bytes.Equal(g.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, g.Marshal())
		}
		_ = g.Validate() // must not panic, whatever it says
	})
}
