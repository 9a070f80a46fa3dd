//go:build !linux

package slot

import "os"

func datasync(f *os.File) error { return f.Sync() }
