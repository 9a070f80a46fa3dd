package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/consensus/fault"
)

// A fileID names a file of the ledger.
type fileID int

const (
	fileLeaves fileID = iota
	fileHashes0
	fileHashes8
	fileHashes16
	fileHashes24
	fileEnvelopes
	fileIndex
	fileBodies
	fileBodyIndex
	fileSalts
	fileCount
)

func (f fileID) name() string {
	return [...]string{"leaves", "hashes.0", "hashes.8", "hashes.16", "hashes.24",
		"envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts"}[f]
}

// bytes returns the length of file f in l.
func (l Lengths) bytes(f fileID) uint64 {
	return [...]uint64{l.LeavesBytes, l.HashesBytes[0], l.HashesBytes[1], l.HashesBytes[2], l.HashesBytes[3],
		l.EnvelopesBytes, l.IndexBytes, l.BodiesBytes, l.BodyIndexBytes, l.SaltsBytes}[f]
}

// A Ledger is an open directory of append-only files. All methods may be
// called concurrently; writers wait for each other, readers wait only while a
// length is published and while Truncate runs.
type Ledger struct {
	dir      string
	readOnly bool
	files    [fileCount]*os.File
	reads    [fileCount]io.ReaderAt // the same files, or those of OpenParts
	suspect  error                  // why it was opened in spite of damage

	sync  sync.Mutex // held by Sync, Truncate, Erase and Close; comes before write
	write sync.Mutex // held by Append, and by all that moves the ends of files
	dead  error      // guarded by write: the first failure, or ErrClosed
	room  room       // guarded by write
	ahead uint64     // guarded by write: end in bodies up to which writeback was begun

	mu     sync.RWMutex // guards what follows; held for reading while a read uses at
	at     Lengths
	synced Lengths
}

// Lengths returns the current lengths of the files.
func (l *Ledger) Lengths() Lengths {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.at
}

// SyncedLengths returns the lengths that the last [Ledger.Sync] made durable,
// before or after the ledger was opened.
func (l *Ledger) SyncedLengths() Lengths {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.synced
}

// Append adds accepted envelopes in order. It writes each file once for as many
// as make groupBytes, since a write costs more than the bytes in it, and does
// not fsync: Raft's log holds the envelopes until Sync. Errors are ErrBatch,
// with nothing written, or ErrStorage, after which the ledger accepts no more.
func (l *Ledger) Append(batches ...Batch) error {
	l.write.Lock()
	defer l.write.Unlock()
	at, err := l.writable()
	if err != nil {
		return fmt.Errorf("append envelope: %w", err)
	}
	end := at
	for i := range batches {
		if err := batches[i].check(end); err != nil {
			return fmt.Errorf("append envelope %d: %w", end.Envelopes, err)
		}
		end = batches[i].after(end)
	}
	for len(batches) > 0 {
		var n int
		n, end = group(at, batches)
		if err := l.appendGroup(at, end, batches[:n]); err != nil {
			return err
		}
		at, batches = end, batches[n:]
	}
	return nil
}

// group returns how many of the batches are written at once behind a ledger of
// length at, and the lengths behind them.
func group(at Lengths, batches []Batch) (n int, end Lengths) {
	end = at
	for n < len(batches) && end.BodiesBytes-at.BodiesBytes < groupBytes {
		end = batches[n].after(end)
		n++
	}
	return n, end
}

func (l *Ledger) appendGroup(at, end Lengths, batches []Batch) error {
	for _, c := range chunks(at, batches, &l.room) {
		if c.file == fileIndex {
			fault.At(fault.AppendBodies)
		}
		if _, err := l.files[c.file].WriteAt(c.bytes, int64(at.bytes(c.file))); err != nil {
			return fmt.Errorf("append envelope %d: %w", at.Envelopes, l.fail(ioError("write", c.file.name(), err)))
		}
	}
	l.publish(end)
	if end.BodiesBytes >= l.ahead+writebackBytes {
		beginWriteback(l.files[fileBodies], int64(l.ahead), int64(end.BodiesBytes-l.ahead))
		l.ahead = end.BodiesBytes
	}
	return nil
}

// Sync makes everything appended so far durable and returns its lengths.
// Appends go on meanwhile. An error is ErrStorage: what reached the disk is
// unknown, and a second attempt could report success for bytes that were lost.
func (l *Ledger) Sync() (Lengths, error) {
	l.sync.Lock()
	defer l.sync.Unlock()
	l.write.Lock()
	at, err := l.writable()
	l.write.Unlock()
	if err != nil {
		return Lengths{}, fmt.Errorf("sync ledger: %w", err)
	}
	before := l.SyncedLengths()
	if err := l.syncFiles(); err != nil {
		return Lengths{}, fmt.Errorf("sync ledger: %w", l.failed(err))
	}
	fault.At(fault.SyncFiles)
	if err := l.recordSynced(at); err != nil {
		return Lengths{}, fmt.Errorf("sync ledger: %w", l.failed(err))
	}
	for f, file := range l.files {
		dropCached(file, int64(before.bytes(fileID(f))))
	}
	return at, nil
}

func (l *Ledger) syncFiles() error {
	if fault.Planted(fault.LedgerNoFsync) {
		return nil
	}
	for f, file := range l.files {
		if err := file.Sync(); err != nil {
			return ioError(opFsync, fileID(f).name(), err)
		}
	}
	return nil
}

// recordSynced durably records that the files are on disk up to at.
func (l *Ledger) recordSynced(at Lengths) error {
	if err := WriteTwice(filepath.Join(l.dir, syncedFile), at.Append(nil)); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.synced = at
	return nil
}

// Truncate shortens the ledger to the lengths of a snapshot. Equal lengths
// are a success. It refuses to lengthen with ErrOutOfRange (the caller
// records a gap), and says ErrDamaged if the ledger has no envelope boundary
// at these lengths: then snapshot and files come from different logs.
func (l *Ledger) Truncate(to Lengths) error {
	l.sync.Lock()
	defer l.sync.Unlock()
	l.write.Lock()
	defer l.write.Unlock()
	at, err := l.writable()
	if err == nil {
		err = l.checkBoundary(to, at)
	}
	if err == nil && to != at {
		err = l.cut(to)
	}
	if err != nil {
		return fmt.Errorf("truncate ledger to %d envelopes: %w", to.Envelopes, err)
	}
	return nil
}

func (l *Ledger) checkBoundary(to, at Lengths) error {
	if to.Envelopes > at.Envelopes {
		return fmt.Errorf("it holds %d: %w", at.Envelopes, ErrOutOfRange)
	}
	mine, err := l.lengthsAt(to.Envelopes)
	if err != nil {
		return err
	}
	if mine != to {
		return damaged(fileIndex.name(), "lengths at envelope %d are not those given", to.Envelopes)
	}
	return nil
}

// cut truncates the files to lengths, and overwrites what was sealed in them. The synced mark is lowered first and
// envelopes.idx is cut first, so a crash in between leaves a longer file that
// the next Open cuts.
func (l *Ledger) cut(to Lengths) error {
	l.mu.Lock()
	synced := l.synced
	l.at = to
	l.mu.Unlock() // no reader is below to from here on
	if synced.Envelopes > to.Envelopes && !fault.Planted(fault.CutBelowSynced) {
		if err := l.recordSynced(to); err != nil {
			return l.fail(err)
		}
	}
	l.ahead = min(l.ahead, to.BodiesBytes)
	fault.At(fault.CutMark)
	return l.cutFiles(to)
}

func (l *Ledger) cutFiles(to Lengths) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	order := []fileID{fileIndex}
	for f := range fileCount {
		if f != fileIndex {
			order = append(order, f)
		}
	}
	for _, f := range order {
		if err := l.destroyTail(f, to.bytes(f)); err != nil {
			return l.fail(err)
		}
		if err := l.files[f].Truncate(int64(to.bytes(f))); err != nil {
			return l.fail(ioError("truncate", f.name(), err))
		}
		if f == fileIndex {
			fault.At(fault.CutIndex)
		}
	}
	return nil
}

// Close closes the files without fsync.
func (l *Ledger) Close() error {
	l.sync.Lock()
	defer l.sync.Unlock()
	l.write.Lock()
	defer l.write.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.dead, ErrClosed) {
		return nil
	}
	l.dead = ErrClosed
	l.at = Lengths{} // a late reader finds nothing rather than a closed file
	return l.closeFiles()
}

func (l *Ledger) closeFiles() error {
	var first error
	for f, file := range l.files {
		if file == nil {
			continue
		}
		if err := file.Close(); err != nil && first == nil {
			first = ioError("close", fileID(f).name(), err)
		}
	}
	return first
}

// writable returns the current lengths, or why nothing may be written.
func (l *Ledger) writable() (Lengths, error) {
	if l.dead != nil {
		return Lengths{}, l.dead
	}
	if l.readOnly {
		return Lengths{}, ErrClosed
	}
	return l.Lengths(), nil
}

// fail makes err the answer to every later write. The caller holds write.
func (l *Ledger) fail(err error) error {
	if !fault.Planted(fault.WriteAfterFailure) {
		l.dead = err
	}
	return err
}

// failed is fail for a caller that does not hold write.
func (l *Ledger) failed(err error) error {
	l.write.Lock()
	defer l.write.Unlock()
	return l.fail(err)
}

func (l *Ledger) publish(at Lengths) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = at
}

// readAt fills b from offset off of file f; the caller holds mu or write and has
// checked the range, so a short file is damage.
func (l *Ledger) readAt(f fileID, b []byte, off uint64) error {
	n, err := l.reads[f].ReadAt(b, int64(off))
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return damaged(f.name(), "ends at byte %d, want %d", off+uint64(n), off+uint64(len(b)))
	}
	return ioError("read", f.name(), err)
}
