package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus/ledger"
)

// pieceBytes is how long a piece is that must be nowhere.
const pieceBytes = 32

// pieces are found by their first bytes.
type pieces map[uint64][][]byte

func (p pieces) add(b []byte) {
	key := binary.LittleEndian.Uint64(b)
	p[key] = append(p[key], b)
}

// needlesOf returns the salts and all pieces of the ciphertexts of entries, from
// the files of a node that has them.
func (n *network) needlesOf(p *demo.Process, indexes []uint64) pieces {
	n.t.Helper()
	l, err := ledger.OpenReadOnly(filepath.Join(p.Dir, "node", "ledger"))
	must(n.t, err)
	defer l.Close()
	out := pieces{}
	for _, index := range indexes {
		b, err := l.Body(index)
		must(n.t, err)
		out.add(bytes.Clone(b.Salt[:]))
		for i := 0; i+pieceBytes <= len(b.Ciphertext); i += pieceBytes {
			out.add(bytes.Clone(b.Ciphertext[i : i+pieceBytes]))
		}
	}
	return out
}

// searchPieces looks for pieces in every byte of every file below a directory.
func searchPieces(t *testing.T, dir string, p pieces) []string {
	t.Helper()
	found := map[string]int{}
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil // of a node that runs
		}
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return nil
		}
		defer f.Close()
		at, err := p.in(f)
		if len(at) > 0 {
			found[path] = len(at)
		}
		return err
	}))
	var out []string
	for _, path := range slices.Sorted(maps.Keys(found)) {
		out = append(out, fmt.Sprintf("%s (%d)", path, found[path]))
	}
	return out
}

// in returns where pieces are in what is read.
func (p pieces) in(r io.Reader) (at []int64, err error) {
	var first [1 << 16]bool
	for key := range p {
		first[uint16(key)] = true
	}
	buf, kept := make([]byte, 1<<20), 0
	for from := int64(0); ; {
		n, err := r.Read(buf[kept:])
		window := buf[:kept+n]
		for i := 0; i+pieceBytes <= len(window); i++ {
			if !first[binary.LittleEndian.Uint16(window[i:])] {
				continue
			}
			for _, piece := range p[binary.LittleEndian.Uint64(window[i:])] {
				if bytes.Equal(piece, window[i:i+pieceBytes]) {
					at = append(at, from+int64(i))
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
		kept = copy(buf, window[max(0, len(window)-pieceBytes+1):])
		from += int64(len(window) - kept)
	}
}

// How lseek(2) finds what of a sparse file is there.
const (
	seekData = 3
	seekHole = 4
)

// inSparse is in for a file of which holes, which are zeros, are passed over.
func (p pieces) inSparse(f *os.File) (at []int64, err error) {
	for end := int64(0); ; {
		start, err := f.Seek(end, seekData)
		if errors.Is(err, syscall.ENXIO) { // nothing behind end
			return at, nil
		}
		if err != nil {
			return at, err
		}
		if end, err = f.Seek(start, seekHole); err != nil {
			return at, err
		}
		found, err := p.in(io.NewSectionReader(f, start, end-start))
		if err != nil {
			return at, err
		}
		for _, offset := range found {
			at = append(at, start+offset)
		}
	}
}
