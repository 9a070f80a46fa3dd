package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/tlog"
)

// Suspect says why the ledger was opened although it is damaged, or nil. What
// was missing reads as zeros; the caller finds out which envelopes that hits.
func (l *Ledger) Suspect() error { return l.suspect }

// RecordAt reads the envelope that lies at the given lengths, without its line
// in the index: its meta is zero. What the checksum does not cover is its
// bodies, which [Ledger.BodiesAt] reads.
func (l *Ledger) RecordAt(at Lengths) (EnvelopeRec, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	rec, err := l.recordAt(at)
	if err != nil {
		return EnvelopeRec{}, fmt.Errorf("read envelope %d: %w", at.Envelopes, err)
	}
	return rec, nil
}

func (l *Ledger) recordAt(at Lengths) (EnvelopeRec, error) {
	start := at.EnvelopesBytes
	if !within(start, envelopeFixedBytes, l.at.EnvelopesBytes) {
		return EnvelopeRec{}, ErrOutOfRange
	}
	var head [4]byte
	if err := l.readAt(fileEnvelopes, head[:], start); err != nil {
		return EnvelopeRec{}, err
	}
	size := envelopeFixedBytes + uint64(binary.BigEndian.Uint32(head[:]))
	if size > envelopeFixedBytes+MaxEnvelopeBytes || !within(start, size, l.at.EnvelopesBytes) {
		return EnvelopeRec{}, damaged(fileEnvelopes.name(), "envelope %d has no length", at.Envelopes)
	}
	b := make([]byte, size)
	if err := l.readAt(fileEnvelopes, b, start); err != nil {
		return EnvelopeRec{}, err
	}
	return parseEnvelope(b, at.Envelopes)
}

// BodiesAt reads the sealed entries of one envelope: count of them, from index
// first on.
func (l *Ledger) BodiesAt(first uint64, count uint32) ([]Body, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	bodies, err := l.bodies(first, count)
	if err != nil {
		return nil, fmt.Errorf("read %d bodies from %d: %w", count, first, err)
	}
	return bodies, nil
}

// Rewrite writes an envelope again where it lies: behind the given lengths,
// which are those before it, and within the ledger. It leaves the hashes, which
// are what shows whether b is right, and returns the lengths behind it.
// ErrBatch says that b cannot lie there; then nothing was written.
func (l *Ledger) Rewrite(at Lengths, b Batch) (Lengths, error) {
	l.write.Lock()
	defer l.write.Unlock()
	end, err := l.writable()
	if err != nil {
		return Lengths{}, fmt.Errorf("rewrite envelope %d: %w", at.Envelopes, err)
	}
	b.Hashes = [4][]tlog.Hash{}
	err = b.checkParts(at)
	after := b.after(at)
	if err == nil && !after.fits(end) {
		err = fmt.Errorf("%w: it does not fit where it lies", ErrBatch)
	}
	if err != nil {
		return Lengths{}, fmt.Errorf("rewrite envelope %d: %w", at.Envelopes, err)
	}
	l.mu.Lock() // no reader sees half of it
	defer l.mu.Unlock()
	for _, c := range chunks(at, []Batch{b}, new(room)) {
		if _, err := l.files[c.file].WriteAt(c.bytes, int64(at.bytes(c.file))); err != nil {
			return Lengths{}, fmt.Errorf("rewrite envelope %d: %w", at.Envelopes, l.fail(ioError("write", c.file.name(), err)))
		}
	}
	return after, nil
}

// fits reports whether all of l lies below end, and is end's own lengths if it
// has as many envelopes.
func (l Lengths) fits(end Lengths) bool {
	for f := range fileCount {
		if l.bytes(f) > end.bytes(f) {
			return false
		}
	}
	return l.Envelopes < end.Envelopes && l.TreeSize < end.TreeSize || l == end
}

// RewriteHashes writes the hashes number first, first+1, ... at height 0, 8, 16
// or 24 again.
func (l *Ledger) RewriteHashes(height uint, first uint64, hashes []tlog.Hash) error {
	l.write.Lock()
	defer l.write.Unlock()
	at, err := l.writable()
	row := height / 8
	if err == nil && (height%8 != 0 || row >= uint(len(hashHeights)) || !within(first, uint64(len(hashes)), at.TreeSize>>height)) {
		err = ErrOutOfRange
	}
	if err != nil {
		return fmt.Errorf("rewrite %d hashes of height %d from %d: %w", len(hashes), height, first, err)
	}
	f := fileHashes0 + fileID(row)
	if _, err := l.files[f].WriteAt(hashRecords(nil, hashes), int64(first*HashBytes)); err != nil {
		return fmt.Errorf("rewrite hashes: %w", l.fail(ioError("write", f.name(), err)))
	}
	return nil
}

// Extend gives the files of a ledger that lost its end the lengths that are
// known from elsewhere. What is missing reads as zeros, and is damaged.
func (l *Ledger) Extend(to Lengths) error {
	l.sync.Lock()
	defer l.sync.Unlock()
	l.write.Lock()
	defer l.write.Unlock()
	at, err := l.writable()
	if err == nil && to.Envelopes < at.Envelopes {
		err = ErrOutOfRange
	}
	if err != nil {
		return fmt.Errorf("extend ledger to %d envelopes: %w", to.Envelopes, err)
	}
	l.suspect = damaged(fileIndex.name(), "%d envelopes, want %d", at.Envelopes, to.Envelopes)
	l.publish(to)
	return l.cutFiles(to)
}

// Cut is [Ledger.Truncate] of a damaged ledger: the caller has shown by the
// root that the ledger is the snapshot's, and its index cannot be asked.
func (l *Ledger) Cut(to Lengths) error {
	l.sync.Lock()
	defer l.sync.Unlock()
	l.write.Lock()
	defer l.write.Unlock()
	at, err := l.writable()
	if err == nil && !to.fits(at) && to != (Lengths{}) {
		err = ErrOutOfRange
	}
	if err == nil {
		err = l.cut(to)
	}
	if err != nil {
		return fmt.Errorf("cut ledger to %d envelopes: %w", to.Envelopes, err)
	}
	return nil
}

// restoreLength gives a file that is shorter than what was fsynced its length
// back, and keeps the reason.
func (l *Ledger) restoreLength(f fileID, size uint64) error {
	err := damaged(f.name(), "%d bytes, but %d were fsynced", size, l.synced.bytes(f))
	if l.readOnly {
		return err
	}
	l.suspect = errors.Join(l.suspect, err)
	if err := l.files[f].Truncate(int64(l.synced.bytes(f))); err != nil {
		return ioError("extend", f.name(), err)
	}
	return nil
}
