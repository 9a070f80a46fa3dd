package pseudonym

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/cloudflare/circl/group"

	"github.com/raresync/raresync/crypto/internal/ristretto"
	"github.com/raresync/raresync/crypto/keyshare"
)

// ceremonyOf plays a key ceremony through with the given dealings, whose run
// it is, and returns what the new holders have then.
func ceremonyOf(t *testing.T, run keyshare.Run, old *keyshare.Record, dealings []*keyshare.Dealing, dealers []uint16) holders {
	t.Helper()
	keys := make([]*keyshare.CeremonyKey, run.Holders)
	public := make([][][keyshare.CeremonyPublicBytes]byte, run.Holders)
	for i := range keys {
		var err error
		if keys[i], err = keyshare.NewCeremonyKey(); err != nil {
			t.Fatal(err)
		}
		if public[i], err = keys[i].Public(run); err != nil {
			t.Fatal(err)
		}
	}
	var deals []keyshare.Deal
	for j, d := range dealings {
		var to [][keyshare.CeremonyPublicBytes]byte
		for i := range public {
			to = append(to, public[i][dealers[j]-1])
		}
		deal, err := d.Deal(to)
		if err != nil {
			t.Fatal(err)
		}
		if old == nil {
			err = deal.CheckDKG(run, d.Commit())
		} else {
			err = deal.CheckReshare(run, *old)
		}
		if err != nil {
			t.Fatal(err)
		}
		deals = append(deals, deal)
	}
	h := holders{network: run.Network}
	var err error
	if old == nil {
		h.record, err = keyshare.RecordOfDKG(run, deals)
	} else {
		h.record, err = keyshare.RecordOfReshare(run, *old, deals)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		var pieces []keyshare.Piece
		for _, d := range deals {
			p, err := d.Open(run, uint16(i+1), key)
			if err != nil {
				t.Fatal(err)
			}
			pieces = append(pieces, p)
		}
		share, err := keyshare.Join(run, h.record, pieces)
		if err != nil {
			t.Fatal(err)
		}
		h.shares = append(h.shares, share)
	}
	return h
}

// dkgOf makes a given key by DKG: the last dealer's constant term, in the
// bytes it keeps, is what the others' leave of the key.
func dkgOf(t *testing.T, key group.Scalar, n int) holders {
	t.Helper()
	threshold := keyshare.Threshold(n)
	run := keyshare.Run{Network: sha256.Sum256([]byte("test network")), Number: 3, Origin: keyshare.DKG,
		Epoch: 1, Threshold: uint16(threshold), Holders: uint16(n), Dealers: uint16(n)}
	left := key.Copy()
	var dealings []*keyshare.Dealing
	var dealers []uint16
	for i := range n {
		d, err := keyshare.NewDealing(run, uint16(i+1), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		b := d.Marshal()
		constant := b[len(b)-threshold*34+2:][:32]
		if i < n-1 {
			left.Sub(left, scalarOf(t, constant))
		} else {
			raw, err := left.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			copy(constant, raw)
			if d, err = keyshare.ParseDealing(b); err != nil {
				t.Fatal(err)
			}
		}
		dealings, dealers = append(dealings, d), append(dealers, uint16(i+1))
	}
	return ceremonyOf(t, run, nil, dealings, dealers)
}

// reshareTo lets the last t holders reshare to n new ones.
func (h holders) reshareTo(t *testing.T, n int) holders {
	t.Helper()
	run := keyshare.Run{Network: h.network, Number: 4 + uint64(h.record.Epoch), Origin: h.record.Origin,
		Epoch: h.record.Epoch + 1, Threshold: uint16(keyshare.Threshold(n)), Holders: uint16(n), Dealers: h.record.Holders}
	var dealings []*keyshare.Dealing
	var dealers []uint16
	for _, s := range h.shares[len(h.shares)-int(h.record.Threshold):] {
		d, err := keyshare.NewReshare(run, s, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		dealings, dealers = append(dealings, d), append(dealers, s.Holder)
	}
	return ceremonyOf(t, run, &h.record, dealings, dealers)
}

// The vectors' key, made by DKG and reshared twice, gives the RFC's outputs
// through every subset of the holders of every epoch.
func TestRFC9497ThroughDKGAndReshares(t *testing.T) {
	v := readVectors(t)
	h := dkgOf(t, scalarOf(t, unhex(t, v.SkSm)), 5)
	want := h.record.KeyID
	for _, n := range []int{5, 9, 7} {
		if n != 5 {
			h = h.reshareTo(t, n)
		}
		if h.record.KeyID != want {
			t.Fatalf("%d holders: key id %x, want %x", n, h.record.KeyID, want)
		}
		var inputs [][]byte
		var blinds []*ristretto.Scalar
		for _, tc := range v.Vectors {
			inputs = append(inputs, unhex(t, tc.Input))
			blinds = append(blinds, ours(t, scalarOf(t, unhex(t, tc.Blind))))
		}
		blinding, elements, err := blindWith(inputs, blinds)
		if err != nil {
			t.Fatal(err)
		}
		for _, parts := range subsets(h.askAll(t, elements), int(h.record.Threshold)) {
			outputs, err := blinding.finalize(h.record, parts)
			if err != nil {
				t.Fatal(err)
			}
			for i, tc := range v.Vectors {
				if !bytes.Equal(outputs[i][:], unhex(t, tc.Output)) {
					t.Errorf("%d holders, vector %d: output %x, want %s", n, i, outputs[i], tc.Output)
				}
			}
		}
	}
}

// The answer of a holder that was left out, with its old share, joins with no
// answer of the new epoch, whatever epoch and number it gives itself.
func TestOldShareAnswersForNobodyAfterAReshare(t *testing.T) {
	h := dkgOf(t, testKey(), 3)
	fresh := h.reshareTo(t, 3)
	blinding, elements := mustBlind(t, 1)
	old := h.shares[2]
	old.Epoch = fresh.record.Epoch
	req := fresh.request(3, elements)
	evaluated, proof, err := Evaluate(old, req, elements)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyEvaluation(fresh.record, req, elements, evaluated, proof); !errors.Is(err, ErrProof) {
		t.Errorf("an answer with the old share in the new epoch: got %v, want %v", err, ErrProof)
	}
	if _, err := blinding.Finalize(fresh.record, []Part{fresh.ask(t, 1, elements), h.ask(t, 3, elements)}); !errors.Is(err, ErrParts) {
		t.Errorf("parts of two epochs: got %v, want %v", err, ErrParts)
	}
	if _, err := blinding.Finalize(fresh.record, []Part{fresh.ask(t, 1, elements), fresh.ask(t, 3, elements)}); err != nil {
		t.Errorf("two new holders: %v", err)
	}
}
