//go:build !linux

package space

import (
	"math"
	"os"
)

// Disk returns a probe that always finds room: this system is not asked.
func Disk(string) Probe {
	return func() (free, total uint64, err error) { return math.MaxUint64, math.MaxUint64, nil }
}

func allocate(f *os.File, bytes int64) error { return zeros(f, bytes) }
