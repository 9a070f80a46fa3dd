//go:build faults

package logstore

import (
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault/powercut"
)

func TestAPowerCutTakesNoRecordAndNoVote(t *testing.T) {
	disk := powercut.NewDisk(t)
	for n := range uint64(3) {
		log, f := openLog(t, filepath.Join(disk.Path, "log.db"), nil)
		votes, err := OpenStable(filepath.Join(disk.Path, "stable.db"), StableOptions{Fatal: f.add})
		if err != nil {
			t.Fatalf("after power cut %d: %v", n, err)
		}
		if term, err := votes.GetUint64([]byte("CurrentTerm")); n > 0 && (err != nil || term != n) {
			t.Fatalf("after power cut %d: term %d, %v, want %d", n, term, err, n)
		}
		if n > 0 {
			wantLog(t, log, 1, 20*n, func(index uint64) uint64 { return (index-1)/20 + 1 })
		}
		if err := votes.SetUint64([]byte("CurrentTerm"), n+1); err != nil {
			t.Fatal(err)
		}
		for index := 20*n + 1; index <= 20*n+20; index++ {
			if err := log.StoreLogs([]*raft.Log{record(index, n+1)}); err != nil {
				t.Fatal(err)
			}
		}
		disk.Cut()
		_, _ = log.Close(), votes.Close() // their disk is gone
		disk.Back()
	}
}
