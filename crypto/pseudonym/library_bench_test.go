package pseudonym

import (
	"crypto/rand"
	"syscall"
	"testing"

	"github.com/cloudflare/circl/oprf"
)

// These measure a whole side of the protocol for a batch of 256 against the
// library's own, which has one server with the whole key: ns/op is time on the
// clock, cpu-ns/op what the process used. Ours decodes and encodes what goes
// over the wire, and a hospital's side checks three proofs and joins three
// answers; the library's hands elements over in memory, and its client checks
// one proof.

const comparedBatch = 256

func BenchmarkHospital(b *testing.B) {
	inputs := testInputs(comparedBatch)
	b.Run("ours, 3 of 5", func(b *testing.B) {
		h := dealKey(b, testKey(), 5, 3, 1)
		measure(b, func(pause func(), resume func()) {
			blinding, elements, err := Blind(inputs)
			if err != nil {
				b.Fatal(err)
			}
			pause()
			var answers []answer
			for i := range 3 {
				answers = append(answers, h.answer(b, i+1, elements))
			}
			resume()
			var parts []Part
			for _, a := range answers {
				part, err := VerifyEvaluation(a.record, a.req, a.elements, a.evaluated, a.proof)
				if err != nil {
					b.Fatal(err)
				}
				parts = append(parts, part)
			}
			if _, err := blinding.Finalize(h.record, parts); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("library, one server", func(b *testing.B) {
		key, server := libraryServer(b)
		client := oprf.NewVerifiableClient(oprf.SuiteRistretto255, key.Public())
		measure(b, func(pause func(), resume func()) {
			data, request, err := client.Blind(inputs)
			if err != nil {
				b.Fatal(err)
			}
			pause()
			evaluation, err := server.Evaluate(request)
			if err != nil {
				b.Fatal(err)
			}
			resume()
			if _, err := client.Finalize(data, evaluation); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkHolder(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		h := dealKey(b, testKey(), 5, 3, 1)
		_, elements := mustBlind(b, comparedBatch)
		req := h.request(1, elements)
		measure(b, func(func(), func()) {
			if _, _, err := Evaluate(h.shares[0], req, elements); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("library", func(b *testing.B) {
		key, server := libraryServer(b)
		client := oprf.NewVerifiableClient(oprf.SuiteRistretto255, key.Public())
		_, request, err := client.Blind(testInputs(comparedBatch))
		if err != nil {
			b.Fatal(err)
		}
		measure(b, func(func(), func()) {
			if _, err := server.Evaluate(request); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func libraryServer(b *testing.B) (*oprf.PrivateKey, oprf.VerifiableServer) {
	b.Helper()
	key, err := oprf.GenerateKey(oprf.SuiteRistretto255, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	return key, oprf.NewVerifiableServer(oprf.SuiteRistretto255, key)
}

// measure runs f b.N times; what is between pause and resume does not count.
func measure(b *testing.B, f func(pause, resume func())) {
	var used, started int64
	pause := func() {
		b.StopTimer()
		used += cpuTime(b) - started
	}
	resume := func() {
		started = cpuTime(b)
		b.StartTimer()
	}
	b.ResetTimer()
	started = cpuTime(b)
	for range b.N {
		f(pause, resume)
	}
	pause()
	b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns what the process has used so far, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
