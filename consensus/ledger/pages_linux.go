package ledger

import (
	"os"

	"golang.org/x/sys/unix"
)

// The kernel keeps what was written in memory until it needs the memory. Of
// the national log that would in the end be all memory there is, for bytes
// that are seldom read again. Both calls are advice: what they answer does not
// matter.

// beginWriteback makes the kernel start writing a range to the disk, without
// waiting, so that the next fsync has little left to do.
func beginWriteback(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// dropCached lets the kernel forget its copy of the first n bytes, which have
// been fsynced.
func dropCached(f *os.File, n int64) {
	if n > 0 { // 0 would mean all of it
		_ = unix.Fadvise(int(f.Fd()), 0, n, unix.FADV_DONTNEED)
	}
}
