package logstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/raresync/raresync/consensus/fault"
)

// Of bbolt's metadata page: a page header, then magic, version, page size,
// flags, root bucket, freelist, pages in use, transaction, checksum. bbolt
// writes them in the machine's byte order.
const (
	pageHeadBytes = 16
	metaBytes     = 64
	minPageBytes  = 1 << 10
	maxPageBytes  = 64 << 10
)

// boltMeta is what a metadata page says.
type boltMeta struct {
	pageBytes uint32
	root      uint64 // page of the root bucket
	pages     uint64 // in use
	tx        uint64
}

// newestMeta returns the newer of a bbolt file's two metadata pages, and
// ErrDamaged unless both are sound. bbolt itself is content with one: if the
// newer one is damaged it goes back by a transaction, and records that were
// acknowledged are gone unseen.
func newestMeta(f io.ReaderAt) (boltMeta, error) {
	first, err := readMeta(f, 0)
	if fault.Planted(fault.BelieveOnePage) {
		return either(f, first, err)
	}
	if err != nil {
		return first, fmt.Errorf("first metadata page: %w", err)
	}
	second, err := readMeta(f, int64(first.pageBytes))
	switch {
	case err != nil:
		return first, fmt.Errorf("second metadata page: %w", err)
	case second.pageBytes != first.pageBytes, max(first.tx, second.tx)-min(first.tx, second.tx) != 1:
		return first, fmt.Errorf("%w: its metadata pages do not follow each other", ErrDamaged)
	case second.tx > first.tx:
		return second, nil
	}
	return first, nil
}

// either is the mistake of being content with one page.
func either(f io.ReaderAt, first boltMeta, err error) (boltMeta, error) {
	second, err2 := readMeta(f, 4096)
	if err != nil || err2 == nil && second.tx > first.tx {
		return second, err2
	}
	return first, nil
}

func readMeta(f io.ReaderAt, off int64) (m boltMeta, err error) {
	raw := make([]byte, metaBytes)
	if err := readFull(f, raw, off+pageHeadBytes); err != nil {
		return m, err
	}
	end := metaBytes - 8
	sum := fnv.New64a()
	sum.Write(raw[:end])
	if sum.Sum64() != binary.NativeEndian.Uint64(raw[end:]) {
		return m, fmt.Errorf("%w: it does not fit its checksum", ErrDamaged)
	}
	m = boltMeta{
		pageBytes: binary.NativeEndian.Uint32(raw[8:]), root: binary.NativeEndian.Uint64(raw[16:]),
		pages: binary.NativeEndian.Uint64(raw[40:]), tx: binary.NativeEndian.Uint64(raw[48:]),
	}
	if m.pageBytes < minPageBytes || m.pageBytes > maxPageBytes {
		return m, fmt.Errorf("%w: pages of %d bytes", ErrDamaged, m.pageBytes)
	}
	return m, nil
}

// readFull reads all of b. A file that ends before is ErrDamaged.
func readFull(f io.ReaderAt, b []byte, off int64) error {
	if off < 0 {
		return fmt.Errorf("%w: a place beyond any file", ErrDamaged)
	}
	n, err := f.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file ends at %d", ErrDamaged, off+int64(n))
	}
	return err
}
