package backup_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/backup"
)

// BenchmarkBackup saves and verifies logs of envelopes of 93 entries.
func BenchmarkBackup(b *testing.B) {
	const envelopes, entries = 100, 93
	w := newWorld(b)
	for i := range envelopes {
		w.add(i%3, entries)
	}
	perEntry := func(b *testing.B) {
		b.ReportMetric(float64(envelopes*entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	}
	o := w.options()
	b.Run("save", func(b *testing.B) {
		dir, n := b.TempDir(), 0
		for b.Loop() {
			n++
			if _, err := backup.Save(b.Context(), filepath.Join(dir, strconv.Itoa(n)), o); err != nil {
				b.Fatal(err)
			}
		}
		perEntry(b)
	})
	path := filepath.Join(b.TempDir(), "b.tar")
	if _, err := backup.Save(b.Context(), path, o); err != nil {
		b.Fatal(err)
	}
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if _, err := verify(path, backup.VerifyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		perEntry(b)
	})
}
