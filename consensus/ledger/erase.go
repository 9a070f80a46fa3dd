package ledger

import "fmt"

// eraseStep is how many entries are zeroed before appends get their turn.
const eraseStep = MaxCount

// zeroStepBytes bounds the buffer of zeros.
const zeroStepBytes = 1 << 20

// Erase destroys the salts and then the bodies of count entries from index
// first on: zeros, fsync, and the space given back where the file system can
// punch holes. It is durable when it returns, and doing it again is harmless.
// Lengths and offsets stay as they are. What a crash could replay from Raft's
// log comes back: the caller erases only below [Ledger.SyncedLengths], which
// Erase enforces with ErrOutOfRange.
func (l *Ledger) Erase(first, count uint64) error {
	for done := uint64(0); done < count; {
		step := min(count-done, eraseStep)
		if err := l.erase(first+done, uint32(step)); err != nil {
			return fmt.Errorf("erase %d entries from %d: %w", count, first, err)
		}
		done += step
	}
	return nil
}

func (l *Ledger) erase(first uint64, count uint32) error {
	l.sync.Lock()
	defer l.sync.Unlock()
	l.write.Lock()
	defer l.write.Unlock()
	if _, err := l.writable(); err != nil {
		return err
	}
	if !within(first, uint64(count), l.SyncedLengths().TreeSize) {
		return ErrOutOfRange
	}
	if err := l.zero(fileSalts, first*SaltBytes, uint64(count)*SaltBytes); err != nil {
		return err
	}
	start, _, err := l.bodyEnds(first, 1)
	if err != nil {
		return err
	}
	_, ends, err := l.bodyEnds(first+uint64(count)-1, 1)
	if err != nil {
		return err
	}
	if ends[0] < start {
		return damaged(fileBodyIndex.name(), "entry %d ends before entry %d starts", first+uint64(count)-1, first)
	}
	return l.zero(fileBodies, start, ends[0]-start)
}

// zero overwrites n bytes of file f at off with zeros on the disk, and only
// then punches the hole: a hole alone leaves the old bytes on free blocks.
func (l *Ledger) zero(f fileID, off, n uint64) error {
	file := l.files[f]
	zeros := make([]byte, min(n, zeroStepBytes))
	for done := uint64(0); done < n; {
		part := zeros[:min(n-done, zeroStepBytes)]
		if _, err := file.WriteAt(part, int64(off+done)); err != nil {
			return l.fail(ioError("write", f.name(), err))
		}
		done += uint64(len(part))
	}
	if err := file.Sync(); err != nil {
		return l.fail(ioError(opFsync, f.name(), err))
	}
	if err := punchHole(file, int64(off), int64(n)); err != nil {
		return l.fail(ioError("punch", f.name(), err))
	}
	return nil
}
