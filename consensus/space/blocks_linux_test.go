package space

import (
	"syscall"
	"testing"
)

// blocksOf returns how much of the disk a file takes.
func blocksOf(t *testing.T, path string) int64 {
	t.Helper()
	var s syscall.Stat_t
	if err := syscall.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return s.Blocks * 512
}
