package ledger

import (
	"encoding/binary"
	"fmt"
)

// An indexRecord is one record of envelopes.idx: where an envelope lies and
// whose it is.
type indexRecord struct {
	end      uint64 // offset in envelopes just behind it
	first    uint64 // index of its first leaf
	count    uint32
	hospital uint32
	sequence uint64
	attempt  uint32
	prev     uint64 // the hospital's previous envelope, or None
	id       [32]byte
}

func (r indexRecord) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, r.end)
	b = binary.BigEndian.AppendUint64(b, r.first)
	b = binary.BigEndian.AppendUint32(b, r.count)
	b = binary.BigEndian.AppendUint32(b, r.hospital)
	b = binary.BigEndian.AppendUint64(b, r.sequence)
	b = binary.BigEndian.AppendUint32(b, r.attempt)
	b = binary.BigEndian.AppendUint64(b, r.prev)
	start := len(b) - 44
	b = append(b, r.id[:]...)
	return binary.BigEndian.AppendUint32(b, checksum(b[start:]))
}

// parseIndexRecord reads record number n. It refuses one whose checksum does
// not fit or that no append could have written, so that a damaged record is not
// followed anywhere.
func parseIndexRecord(b []byte, n uint64) (indexRecord, error) {
	if !checksumFits(b) {
		return indexRecord{}, damaged(fileIndex.name(), "record %d: checksum does not fit", n)
	}
	u32, u64 := binary.BigEndian.Uint32, binary.BigEndian.Uint64
	r := indexRecord{
		end: u64(b), first: u64(b[8:]), count: u32(b[16:]), hospital: u32(b[20:]),
		sequence: u64(b[24:]), attempt: u32(b[32:]), prev: u64(b[36:]),
	}
	copy(r.id[:], b[44:])
	switch {
	case r.count == 0 || r.count > MaxCount || r.first < n || r.first >= maxEntries,
		r.end < (n+1)*envelopeFixedBytes || r.end > (n+1)*(envelopeFixedBytes+MaxEnvelopeBytes),
		r.prev != None && r.prev >= n:
		return r, damaged(fileIndex.name(), "record %d is impossible", n)
	}
	return r, nil
}

// index reads record n of envelopes.idx; the caller holds mu or write, and has
// checked n.
func (l *Ledger) index(n uint64) (indexRecord, error) {
	var b [indexRecordBytes]byte
	if err := l.readAt(fileIndex, b[:], n*indexRecordBytes); err != nil {
		return indexRecord{}, err
	}
	return parseIndexRecord(b[:], n)
}

// span reads record n and the offset at which its envelope starts.
func (l *Ledger) span(n uint64) (r indexRecord, start uint64, err error) {
	if n == 0 {
		r, err = l.index(0)
		if err == nil && r.first != 0 {
			err = damaged(fileIndex.name(), "record 0 starts at entry %d", r.first)
		}
		return r, 0, err
	}
	before, err := l.index(n - 1)
	if err != nil {
		return r, 0, err
	}
	if r, err = l.index(n); err != nil {
		return r, 0, err
	}
	if r.end < before.end+envelopeFixedBytes || r.first != before.first+uint64(before.count) {
		return r, 0, damaged(fileIndex.name(), "record %d does not follow record %d", n, n-1)
	}
	return r, before.end, nil
}

// EnvelopeAt returns the number of the envelope that holds the entry at index,
// in O(log envelopes) reads.
func (l *Ledger) EnvelopeAt(index uint64) (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if index >= l.at.TreeSize {
		return 0, fmt.Errorf("envelope of entry %d: %w", index, ErrOutOfRange)
	}
	low, high := uint64(0), l.at.Envelopes // first(low) <= index < first(high)
	for high-low > 1 {
		middle := low + (high-low)/2
		r, err := l.index(middle)
		if err != nil {
			return 0, fmt.Errorf("envelope of entry %d: %w", index, err)
		}
		if r.first <= index {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}

// FindSequence walks back from a hospital's newest envelope to the one with
// the given sequence and returns its number. found is false if the hospital
// has no such envelope.
func (l *Ledger) FindSequence(newest, sequence uint64) (number uint64, found bool, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if newest != None && newest >= l.at.Envelopes {
		return 0, false, fmt.Errorf("sequence %d from envelope %d: %w", sequence, newest, ErrOutOfRange)
	}
	for n := newest; n != None; {
		r, err := l.index(n) // r.prev < n, so the walk ends
		if err != nil {
			return 0, false, fmt.Errorf("sequence %d from envelope %d: %w", sequence, newest, err)
		}
		if r.sequence <= sequence {
			return n, r.sequence == sequence, nil
		}
		n = r.prev
	}
	return 0, false, nil
}
