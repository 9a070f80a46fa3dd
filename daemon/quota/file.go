package quota

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/raresync/raresync/consensus/ledger"
)

// weeksKept is how many files there are: the week that runs and those whose
// requests a holder can still be asked to prove.
const weeksKept = 3

func weekPath(dir string, week uint32) string { return filepath.Join(dir, fmt.Sprintf("%010d", week)) }

// weeks lists the files of a directory, ascending.
func weeks(dir string) ([]uint32, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, f := range files {
		n, err := strconv.ParseUint(f.Name(), 10, 32)
		if err != nil || len(f.Name()) != 10 {
			return nil, fmt.Errorf("%w: %s is not a file of it", ErrDamaged, f.Name())
		}
		out = append(out, uint32(n))
	}
	slices.Sort(out)
	return out, nil
}

// scan calls f for each record of a week's file. It returns the length of the
// whole records: what a crash left behind them was never answered. Any other
// fault is ErrDamaged.
func scan(path string, f func(record) error) (whole int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ledger.ErrStorage, err)
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 64<<10)
	for {
		payload, torn, err := readFrame(in)
		switch {
		case errors.Is(err, io.EOF) || err == nil && torn && atEnd(in):
			return whole, nil
		case err != nil:
			return whole, fmt.Errorf("%w: read %s: %w", ledger.ErrStorage, filepath.Base(path), err)
		case torn:
			return whole, fmt.Errorf("%w: %s, byte %d", ErrDamaged, filepath.Base(path), whole)
		}
		r, err := decodeRecord(payload)
		if err != nil {
			return whole, fmt.Errorf("%w: %s, byte %d: %w", ErrDamaged, filepath.Base(path), whole, err)
		}
		if err := f(r); err != nil {
			return whole, err
		}
		whole += int64(len(payload)) + frameBytes
	}
}

// readFrame reads one record's payload; torn says that it does not fit its
// length or checksum.
func readFrame(in *bufio.Reader) (payload []byte, torn bool, err error) {
	var word [4]byte
	if n, err := io.ReadFull(in, word[:]); n == 0 || err != nil {
		return nil, true, ended(err)
	}
	size := binary.BigEndian.Uint32(word[:])
	if size == 0 || size > maxRecordBytes {
		return nil, true, nil
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(in, payload); err != nil {
		return nil, true, ended(err)
	}
	if _, err := io.ReadFull(in, word[:]); err != nil {
		return nil, true, ended(err)
	}
	return payload, crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(word[:]), nil
}

// ended makes the end of the file in the middle of a record an end of the file.
func ended(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

// atEnd reports that only zeros follow, as a file has them whose length reached
// the disk before its bytes.
func atEnd(in *bufio.Reader) bool {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if b != 0 {
			return false
		}
	}
}

// storage makes an error of the disk one that ends the process.
func storage(op string, err error) error {
	if op == "fsync" {
		return fmt.Errorf("%w: %w: quota: %w", ledger.ErrStorage, ledger.ErrFsync, err)
	}
	return fmt.Errorf("%w: quota: %s: %w", ledger.ErrStorage, op, err)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
