package pseudonym

import (
	"fmt"
	"testing"
)

var benchSizes = []int{1, 256}

func BenchmarkStretch(b *testing.B) {
	p := demoParams()
	p.MemoryKiB = 19_456
	for b.Loop() {
		p.Stretch([]byte("x"))
	}
}

func BenchmarkBlind(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			inputs := testInputs(n)
			for b.Loop() {
				if _, _, err := Blind(inputs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := dealKey(b, testKey(), 5, 3, 1)
			_, elements := mustBlind(b, n)
			req := h.request(1, elements)
			for b.Loop() {
				if _, _, err := Evaluate(h.shares[0], req, elements); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := dealKey(b, testKey(), 5, 3, 1)
			_, elements := mustBlind(b, n)
			req := h.request(1, elements)
			evaluated, proof, err := Evaluate(h.shares[0], req, elements)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := VerifyEvaluation(h.record, req, elements, evaluated, proof); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFinalize(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := dealKey(b, testKey(), 5, 3, 1)
			blinding, elements := mustBlind(b, n)
			parts := h.askAll(b, elements)[:3]
			for b.Loop() {
				if _, err := blinding.Finalize(h.record, parts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
