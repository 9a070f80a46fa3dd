package pseudonym

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/keyshare"
)

// frozen is one evaluation as made when the protocol froze, in hexadecimal.
type frozen struct {
	Network, Record, Share, Request string
	Elements, Evaluated             []string
	Random, Proof                   string
}

func readFrozen(t *testing.T) (f frozen) {
	t.Helper()
	b, err := os.ReadFile("testdata/evaluation-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func unhexElements(t *testing.T, in []string) (out [][32]byte) {
	t.Helper()
	for _, s := range in {
		out = append(out, [32]byte(unhex(t, s)))
	}
	return out
}

// Nodes of two releases must verify each other's proofs. If this fails after
// an upgrade of the library, its transcript has changed: do not upgrade.
func TestFrozenEvaluationStillVerifies(t *testing.T) {
	f := readFrozen(t)
	record, err := keyshare.DecodeRecord(unhex(t, f.Record))
	if err != nil {
		t.Fatal(err)
	}
	req, err := DecodeRequest(unhex(t, f.Request))
	if err != nil {
		t.Fatal(err)
	}
	elements, evaluated := unhexElements(t, f.Elements), unhexElements(t, f.Evaluated)
	record = record.Bind([32]byte(unhex(t, f.Network)))
	if _, err := VerifyEvaluation(record, req, elements, evaluated, [64]byte(unhex(t, f.Proof))); err != nil {
		t.Error(err)
	}
}

func TestFrozenEvaluationIsStillMade(t *testing.T) {
	f := readFrozen(t)
	share, err := keyshare.ParseShare(unhex(t, f.Share))
	if err != nil {
		t.Fatal(err)
	}
	req, err := DecodeRequest(unhex(t, f.Request))
	if err != nil {
		t.Fatal(err)
	}
	elements, want := unhexElements(t, f.Elements), unhexElements(t, f.Evaluated)
	got, _, err := Evaluate(share, req, elements)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("evaluated %x, want %x", got, want)
	}
	proof := proveAgain(t, share, req, elements, want, [32]byte(unhex(t, f.Random)))
	if wantProof := [64]byte(unhex(t, f.Proof)); proof != wantProof {
		t.Errorf("proof %x, want %x", proof, wantProof)
	}
}

func proveAgain(t *testing.T, share keyshare.Share, req Request, elements, evaluated [][32]byte, random [32]byte) [64]byte {
	t.Helper()
	k, err := shareScalar(share)
	if err != nil {
		t.Fatal(err)
	}
	blinded, err := decodeElements(elements)
	if err != nil {
		t.Fatal(err)
	}
	return batchOf(k, req, blinded, elements, evaluated).prove(k, random)
}
