package pseudonym

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/cloudflare/circl/oprf"

	"github.com/raresync/raresync/crypto/internal/ristretto"
)

type rfcVectors struct {
	Source, SkSm string
	Vectors      []struct{ Input, Blind, BlindedElement, EvaluationElement, Output string }
}

func readVectors(t *testing.T) (v rfcVectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/rfc9497-ristretto255-sha512-oprf.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Vectors) != 2 {
		t.Fatalf("%d vectors, want 2", len(v.Vectors))
	}
	return v
}

// The vectors' key is split; whichever holders answer, the joined evaluation
// and the output are the RFC's.
func TestRFC9497ThroughEverySubsetOfHolders(t *testing.T) {
	v := readVectors(t)
	key := scalarOf(t, unhex(t, v.SkSm))
	for _, size := range []struct{ n, threshold, subsets int }{{3, 2, 3}, {5, 3, 10}, {7, 4, 35}, {1, 1, 1}} {
		t.Run(fmt.Sprintf("%d of %d", size.threshold, size.n), func(t *testing.T) {
			h := dealKey(t, key, size.n, size.threshold, 1)
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
			tried := subsets(h.askAll(t, elements), size.threshold)
			if len(tried) != size.subsets {
				t.Fatalf("%d subsets, want %d", len(tried), size.subsets)
			}
			for i, tc := range v.Vectors {
				if want := unhex(t, tc.BlindedElement); !bytes.Equal(elements[i][:], want) {
					t.Errorf("vector %d: blinded element %x, want %x", i, elements[i], want)
				}
			}
			for _, parts := range tried {
				checkVectors(t, v, blinding, h, parts)
			}
		})
	}
}

func checkVectors(t *testing.T, v rfcVectors, blinding *Blinding, h holders, parts []Part) {
	t.Helper()
	unblinded := blinding.unblind(parts)
	outputs, err := blinding.finalize(h.record, parts)
	if err != nil {
		t.Fatal(err)
	}
	pseudonyms, err := blinding.Finalize(h.record, parts)
	if err != nil {
		t.Fatal(err)
	}
	for i, tc := range v.Vectors {
		blind := ours(t, scalarOf(t, unhex(t, tc.Blind)))
		joined := ristretto.Mul(blind, unblinded[i]).Bytes()
		if want := unhex(t, tc.EvaluationElement); !bytes.Equal(joined[:], want) {
			t.Errorf("vector %d: joined evaluation %x, want %x", i, joined, want)
		}
		want := unhex(t, tc.Output)
		if !bytes.Equal(outputs[i][:], want) {
			t.Errorf("vector %d: output %x, want %x", i, outputs[i], want)
		}
		if !bytes.Equal(pseudonyms[i][:], want[:32]) {
			t.Errorf("vector %d: pseudonym %s, want the first 32 bytes of %x", i, pseudonyms[i].Hex(), want)
		}
	}
}

// The library's single-key server is the second opinion here.
func TestPseudonymsAreThoseOfTheUnsplitKey(t *testing.T) {
	raw, err := testKey().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var key oprf.PrivateKey
	if err := key.UnmarshalBinary(oprf.SuiteRistretto255, raw); err != nil {
		t.Fatal(err)
	}
	inputs := testInputs(5)
	server := oprf.NewServer(oprf.SuiteRistretto255, &key)
	blinding, elements := mustBlind(t, len(inputs))
	for _, h := range []holders{
		dealKey(t, testKey(), 5, 3, 1),
		dealKey(t, testKey(), 9, 5, 2), // reshared: other holders, same key
		dealKey(t, testKey(), 4, 4, 3), // all are needed
	} {
		parts := h.askAll(t, elements)
		got, err := blinding.Finalize(h.record, parts[len(parts)-int(h.record.Threshold):])
		if err != nil {
			t.Fatal(err)
		}
		for i := range inputs {
			want, err := server.FullEvaluate(inputs[i])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[i][:], want[:32]) {
				t.Errorf("epoch %d, input %d: %s, want %x", h.record.Epoch, i, got[i].Hex(), want[:32])
			}
		}
	}
}

func TestBlindingOutlivesTheCallersBuffer(t *testing.T) {
	h := dealKey(t, testKey(), 1, 1, 1)
	finish := func(spoil bool) Pseudonym {
		inputs := testInputs(1)
		blinding, elements, err := Blind(inputs)
		if err != nil {
			t.Fatal(err)
		}
		if spoil {
			clear(inputs[0])
		}
		got, err := blinding.Finalize(h.record, []Part{h.ask(t, 1, elements)})
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	if got, want := finish(true), finish(false); got != want {
		t.Errorf("reused buffer: %s, want %s", got.Hex(), want.Hex())
	}
}
