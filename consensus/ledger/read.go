package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/raresync/raresync/crypto/tlog"
)

// MaxLeafRange is the largest number of leaves that one read returns.
const MaxLeafRange = 8192

// maxHashRange is the largest number of hashes that one read returns.
const maxHashRange = 65536

// tileWidth is the number of hashes in a full tile and of leaves in a full
// entry bundle (C2SP tlog-tiles).
const tileWidth = 256

// Leaf returns the 90-byte leaf at index.
func (l *Ledger) Leaf(index uint64) ([]byte, error) {
	leaves, err := l.LeafRange(index, 1)
	if err != nil {
		return nil, err
	}
	return leaves[0], nil
}

// LeafRange returns count leaves from index first on, 90 bytes each, at most
// [MaxLeafRange].
func (l *Ledger) LeafRange(first uint64, count int) ([][]byte, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if count < 1 || count > MaxLeafRange || !within(first, uint64(count), l.at.TreeSize) {
		return nil, fmt.Errorf("read %d leaves from %d: %w", count, first, ErrOutOfRange)
	}
	records := make([]byte, count*LeafRecordBytes)
	if err := l.readAt(fileLeaves, records, first*LeafRecordBytes); err != nil {
		return nil, fmt.Errorf("read %d leaves from %d: %w", count, first, err)
	}
	leaves := make([][]byte, count)
	for i := range leaves {
		record := records[i*LeafRecordBytes:][:LeafRecordBytes:LeafRecordBytes]
		if binary.BigEndian.Uint16(record) != LeafBytes {
			return nil, damaged(fileLeaves.name(), "leaf %d has no length", first+uint64(i))
		}
		leaves[i] = record[2:]
	}
	return leaves, nil
}

// ReadHashes fills dst with the hashes number first, first+1, ... at height
// 0, 8, 16 or 24: it implements [tlog.HashReader].
func (l *Ledger) ReadHashes(height uint, first uint64, dst []tlog.Hash) error {
	row := height / 8
	if height%8 != 0 || row >= uint(len(hashHeights)) || len(dst) > maxHashRange {
		return fmt.Errorf("read %d hashes of height %d: %w", len(dst), height, ErrOutOfRange)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !within(first, uint64(len(dst)), l.at.TreeSize>>height) {
		return fmt.Errorf("read %d hashes of height %d from %d: %w", len(dst), height, first, ErrOutOfRange)
	}
	b := make([]byte, len(dst)*HashBytes)
	if err := l.readAt(fileHashes0+fileID(row), b, first*HashBytes); err != nil {
		return fmt.Errorf("read %d hashes of height %d from %d: %w", len(dst), height, first, err)
	}
	for i := range dst {
		copy(dst[i][:], b[i*HashBytes:])
	}
	return nil
}

// HashTile returns the bytes of C2SP tile level/n of width 1..256 hashes.
// A level above 3 has no complete hash below 2^32 entries.
func (l *Ledger) HashTile(level uint, n uint64, width int) ([]byte, error) {
	if level >= uint(len(hashHeights)) {
		return nil, fmt.Errorf("read tile %d/%d: %w", level, n, ErrOutOfRange)
	}
	return l.rawTile(fileHashes0+fileID(level), n, width, HashBytes)
}

// EntryBundle returns the bytes of C2SP entry bundle n of width 1..256
// leaves, each with its 2-byte length.
func (l *Ledger) EntryBundle(n uint64, width int) ([]byte, error) {
	return l.rawTile(fileLeaves, n, width, LeafRecordBytes)
}

// rawTile returns width records from record n*256 on of a fixed-width file.
func (l *Ledger) rawTile(f fileID, n uint64, width int, recordBytes uint64) ([]byte, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if width < 1 || width > tileWidth || n > maxEntries/tileWidth ||
		!within(n*tileWidth, uint64(width), l.at.bytes(f)/recordBytes) {
		return nil, fmt.Errorf("read %s tile %d of width %d: %w", f.name(), n, width, ErrOutOfRange)
	}
	b := make([]byte, uint64(width)*recordBytes)
	if err := l.readAt(f, b, n*tileWidth*recordBytes); err != nil {
		return nil, fmt.Errorf("read %s tile %d: %w", f.name(), n, err)
	}
	return b, nil
}

// within reports whether records first .. first+count-1 exist among total.
func within(first, count, total uint64) bool {
	return first <= total && count <= total-first
}
