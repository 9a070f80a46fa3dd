package ledger

import (
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
)

// zeroStepBytes bounds the buffer of zeros.
const zeroStepBytes = 1 << 20

// A Span is a run of entries: Count of them from index First on.
type Span struct{ First, Count uint64 }

// byteSpan is a run of bytes of a file.
type byteSpan struct{ at, n uint64 }

// Erase destroys the salts of entries, and once these are gone the bodies:
// zeros, fsync, and the space given back where the file system can punch holes.
// It is durable when it returns, and doing it again is harmless. Appends go on
// meanwhile. Lengths and offsets stay as they are. What a crash could replay
// from Raft's log comes back: the caller erases only below
// [Ledger.SyncedLengths], which Erase enforces with ErrOutOfRange.
func (l *Ledger) Erase(spans ...Span) error {
	l.sync.Lock()
	defer l.sync.Unlock()
	salts, bodies, err := l.locate(spans)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	if fault.Planted(fault.EraseNothing) {
		return nil
	}
	if err := l.zero(fileSalts, salts); err != nil {
		return fmt.Errorf("erase salts: %w", l.failed(err))
	}
	fault.At(fault.EraseSalts)
	if err := l.zero(fileBodies, bodies); err != nil {
		return fmt.Errorf("erase bodies: %w", l.failed(err))
	}
	fault.At(fault.EraseBodies)
	return nil
}

// locate returns where the salts and the bodies of entries lie.
func (l *Ledger) locate(spans []Span) (salts, bodies []byteSpan, err error) {
	l.write.Lock()
	defer l.write.Unlock()
	if _, err := l.writable(); err != nil {
		return nil, nil, err
	}
	size := l.SyncedLengths().TreeSize
	for _, s := range spans {
		if s.Count == 0 || !within(s.First, s.Count, size) {
			return nil, nil, fmt.Errorf("%d entries from %d of %d: %w", s.Count, s.First, size, ErrOutOfRange)
		}
		start, _, err := l.bodyEnds(s.First, 1)
		if err != nil {
			return nil, nil, err
		}
		_, ends, err := l.bodyEnds(s.First+s.Count-1, 1)
		if err != nil {
			return nil, nil, err
		}
		if ends[0] < start {
			return nil, nil, damaged(fileBodyIndex.name(), "entry %d ends before entry %d starts", s.First+s.Count-1, s.First)
		}
		salts = append(salts, byteSpan{s.First * SaltBytes, s.Count * SaltBytes})
		bodies = append(bodies, byteSpan{start, ends[0] - start})
	}
	return salts, bodies, nil
}

// zero overwrites bytes of file f with zeros on the disk, and only then punches
// the holes: a hole alone leaves the old bytes on free blocks.
func (l *Ledger) zero(f fileID, spans []byteSpan) error {
	for _, s := range spans {
		if fault.Planted(fault.PunchOnly) {
			break
		}
		if err := zeroRange(l.files[f], s); err != nil {
			return ioError("write", f.name(), err)
		}
	}
	if err := l.files[f].Sync(); err != nil {
		return ioError(opFsync, f.name(), err)
	}
	for _, s := range spans {
		if err := punchHole(l.files[f], int64(s.at), int64(s.n)); err != nil {
			return ioError("punch", f.name(), err)
		}
	}
	return nil
}

// writerAt is a file, as far as zeros go.
type writerAt interface {
	WriteAt(b []byte, off int64) (int, error)
}

func zeroRange(file writerAt, s byteSpan) error {
	zeros := make([]byte, min(s.n, zeroStepBytes))
	for done := uint64(0); done < s.n; {
		part := zeros[:min(s.n-done, zeroStepBytes)]
		if _, err := file.WriteAt(part, int64(s.at+done)); err != nil {
			return err
		}
		done += uint64(len(part))
	}
	return nil
}

// destroyTail overwrites what a sealed file holds beyond a length, before it is
// cut there: cutting alone leaves the old bytes on free blocks.
func (l *Ledger) destroyTail(f fileID, length uint64) error {
	if f != fileBodies && f != fileSalts {
		return nil
	}
	info, err := l.files[f].Stat()
	if err != nil {
		return ioError("stat", f.name(), err)
	}
	if size := uint64(info.Size()); size > length {
		if err := zeroRange(l.files[f], byteSpan{length, size - length}); err != nil {
			return ioError("write", f.name(), err)
		}
		if err := l.files[f].Sync(); err != nil {
			return ioError(opFsync, f.name(), err)
		}
	}
	return nil
}

// BlankSalts returns the indexes of the entries, of count from index first on,
// whose salt reads as zeros. It reads at most [MaxLeafRange] entries.
func (l *Ledger) BlankSalts(first uint64, count int) ([]uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if count < 1 || count > MaxLeafRange || !within(first, uint64(count), l.at.TreeSize) {
		return nil, fmt.Errorf("read %d salts from %d: %w", count, first, ErrOutOfRange)
	}
	b := make([]byte, count*SaltBytes)
	if err := l.readAt(fileSalts, b, first*SaltBytes); err != nil {
		return nil, fmt.Errorf("read %d salts from %d: %w", count, first, err)
	}
	var blank []uint64
	for i := range count {
		if [SaltBytes]byte(b[i*SaltBytes:]) == ([SaltBytes]byte{}) {
			blank = append(blank, first+uint64(i))
		}
	}
	return blank, nil
}
