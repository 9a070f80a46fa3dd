package act_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

func TestActAndPayloadsEncodeBackToTheSameBytes(t *testing.T) {
	a, g, _ := founded(t)
	again, err := act.Decode(a.Marshal())
	if err != nil || !bytes.Equal(again.Marshal(), a.Marshal()) || len(again.Approvals) != 4 {
		t.Errorf("genesis act: %v", err)
	}
	if !bytes.Equal(g.Marshal(), a.Payload) {
		t.Error("genesis payload encodes to other bytes")
	}
	u := act.Unopenable{Envelope: 1 << 40, Place: act.WholeEnvelope, Reader: seal.KeyID{7}, Code: "SEAL003"}
	if got, err := act.DecodeUnopenable(u.Marshal()); err != nil || got != u {
		t.Errorf("unopenable: got %+v, %v", got, err)
	}
	b := act.SaltsBackup{Node: "h1", Size: 1 << 33, Expiry: 1 << 41}
	if got, err := act.DecodeSaltsBackup(b.Marshal()); err != nil || got != b {
		t.Errorf("salts backup: got %+v, %v", got, err)
	}
}

func TestNetworkIDCoversTheGenesisAndNotItsApprovals(t *testing.T) {
	a, _, net := founded(t)
	if a.NetworkID() != net.ID {
		t.Fatalf("network id %x, want %x", a.NetworkID(), net.ID)
	}
	bare := *a
	bare.Approvals = nil
	if bare.NetworkID() != net.ID {
		t.Error("the network id depends on approvals")
	}
	for name, change := range map[string]func(*act.Act){
		"version":        func(a *act.Act) { a.Version++ },
		"type":           func(a *act.Act) { a.Type++ },
		"roster version": func(a *act.Act) { a.RosterVersion++ },
		"expiry":         func(a *act.Act) { a.Expiry++ },
		"payload":        func(a *act.Act) { a.Payload = append(bytes.Clone(a.Payload), 0) },
	} {
		other := *a
		change(&other)
		if other.NetworkID() == net.ID {
			t.Errorf("another %s, the same network id", name)
		}
	}
}

func TestApprovalHoldsForOneActOfOneNetworkByOneKey(t *testing.T) {
	a, _, net := founded(t)
	key := net.Hospitals[0].Envelope
	p, err := a.Approve(net.ID, 1, key)
	if err != nil {
		t.Fatal(err)
	}
	other := *a
	other.Expiry = 5
	stripped := p
	stripped.Signature.MLDSA = make([]byte, 3309)
	zeroed := p
	zeroed.Signature.Ed25519 = [64]byte{}
	for name, tc := range map[string]struct {
		act     *act.Act
		network [32]byte
		p       act.Approval
		key     *sign.PublicKey
		ok      bool
	}{
		"as given":                  {a, net.ID, p, key.Public(), true},
		"for an act with an expiry": {&other, net.ID, p, key.Public(), false},
		"for another network":       {a, [32]byte{1}, p, key.Public(), false},
		"by another hospital's key": {a, net.ID, p, net.Hospitals[1].Envelope.Public(), false},
		"without its ML-DSA half":   {a, net.ID, stripped, key.Public(), false},
		"without its Ed25519 half":  {a, net.ID, zeroed, key.Public(), false},
	} {
		if err := tc.act.VerifyApproval(tc.network, &tc.p, tc.key); (err == nil) != tc.ok {
			t.Errorf("approval %s: %v", name, err)
		}
	}
	if _, err := a.Approve(net.ID, 1, net.Hospitals[0].Request); !errors.Is(err, sign.ErrPurpose) {
		t.Errorf("approval with a request key: %v", err)
	}
}

func TestApprovalMessageLeavesTheNetworkIDAlone(t *testing.T) {
	a := act.Act{Version: 1, Type: act.TypeUnopenable}
	id := [32]byte{1, 2}
	m := a.ApprovalMessage(id)
	if !bytes.Equal(m[:32], id[:]) || !bytes.Equal(m[32:], a.Core()) || id != [32]byte{1, 2} {
		t.Errorf("message is %x", m)
	}
}

func TestActsOfAnotherFormAreRefused(t *testing.T) {
	a, _, _ := founded(t)
	for name, change := range map[string]func(*act.Act){
		"approvals descending":    func(a *act.Act) { slices.Reverse(a.Approvals) },
		"an approval twice":       func(a *act.Act) { a.Approvals[1] = a.Approvals[0] },
		"a shortened ML-DSA half": func(a *act.Act) { a.Approvals[0].Signature.MLDSA = make([]byte, 3308) },
	} {
		bad := *a
		bad.Approvals = slices.Clone(a.Approvals)
		change(&bad)
		if _, err := act.Decode(bad.Marshal()); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
	if _, err := act.Decode(make([]byte, act.MaxBytes+1)); !errors.Is(err, act.ErrTooLarge) {
		t.Errorf("an act above the limit: %v", err)
	}
	for n := range len(a.Marshal()) / 97 {
		if _, err := act.Decode(a.Marshal()[:97*n]); !errors.Is(err, cbor.ErrEncoding) {
			t.Fatalf("%d bytes of an act: %v", 97*n, err)
		}
	}
}

func manyApprovals(n, size int) []act.Approval {
	out := make([]act.Approval, n)
	for i := range out {
		out[i] = act.Approval{Hospital: uint32(i + 1), Signature: sign.Signature{MLDSA: make([]byte, size)}}
	}
	return out
}

func TestUnknownTypeDecodesForTheStateMachineToRefuse(t *testing.T) {
	a := act.Act{Version: 9, Type: 999, RosterVersion: 1, Expiry: 2, Payload: []byte{1}}
	got, err := act.Decode(a.Marshal())
	if err != nil || got.Type != 999 || got.Version != 9 || got.Type.String() != "type 999" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestGenesisOfANewerVersionIsNamed(t *testing.T) {
	_, g, _ := founded(t)
	raw := g.Marshal()
	raw[1] = 2
	if _, err := act.DecodeGenesis(raw); err == nil || !strings.Contains(err.Error(), "version 2 is not known") {
		t.Errorf("got %v", err)
	}
}

func TestKeyOfAnotherPurposeIsNotDecoded(t *testing.T) {
	_, g, _ := founded(t)
	bad := copyOf(g)
	bad.Institutions[0].Request = bad.Institutions[0].Envelope
	if _, err := act.DecodeGenesis(bad.Marshal()); !errors.Is(err, cbor.ErrEncoding) || !strings.Contains(fmt.Sprint(err), "key where a") {
		t.Errorf("got %v", err)
	}
}

func TestRightsAreWrittenAsTheyAreRead(t *testing.T) {
	for r := range act.Rights(8) {
		if got, err := act.ParseRights(r.String()); err != nil || got != r {
			t.Errorf("%s reads as %s, %v", r, got, err)
		}
	}
	if _, err := act.ParseRights("national,everything"); err == nil {
		t.Error("an unknown right was read")
	}
	if s := fmt.Sprint(act.RoleHospital, act.RoleReader, act.Role(7), act.Voter, act.Mirror, act.NodeKind(7), act.TypeGenesis, act.TypeUnopenable, act.TypeSaltsBackup, act.TypeAdmission); s != "hospital reader role 7 voter mirror kind 7 genesis unopenable salts backup admission" {
		t.Errorf("names are %s", s)
	}
}
