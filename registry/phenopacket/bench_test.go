package phenopacket_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// BenchmarkFiles reads the published packets that tests are given, makes entries of
// them, and with the standard library beside it maps.
func BenchmarkFiles(b *testing.B) {
	files := realFiles(b, "phenopackets")
	if len(files) == 0 {
		b.Skip("no published packets: RARESYNC_TESTDATA names none")
	}
	size := 0
	for _, raw := range files {
		size += len(raw)
	}
	each := func(b *testing.B, read func(raw []byte)) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, raw := range files {
				read(raw)
			}
		}
		b.ReportMetric(float64(b.N*len(files))/b.Elapsed().Seconds(), "files/s")
	}
	b.Run("read", func(b *testing.B) {
		each(b, func(raw []byte) {
			if _, err := phenopacket.Read("f.json", bytes.NewReader(raw), phenopacket.Limits{}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("into entries", func(b *testing.B) {
		each(b, func(raw []byte) {
			packets, err := phenopacket.Read("f.json", bytes.NewReader(raw), phenopacket.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			var refused *rule.Refusal
			if _, _, err := packets[0].Accept(options, context); err != nil && !errors.As(err, &refused) {
				b.Fatal(err)
			}
		})
	})
	b.Run("encoding/json", func(b *testing.B) {
		each(b, func(raw []byte) {
			var v any
			if err := json.Unmarshal(raw, &v); err != nil {
				b.Fatal(err)
			}
		})
	})
}
