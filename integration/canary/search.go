package canary

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Hit is a marker, or a piece of it, with where it was found.
type Hit struct {
	Where  string
	At     int64 // byte in the file, mapping or answer
	Form   string
	Bytes  int // of the form, in a row
	Marker *Marker
}

// String says what was found where. The value is a made-up one.
func (h Hit) String() string {
	return fmt.Sprintf("%s, byte %d: %d bytes of %s %q, %s", h.Where, h.At, h.Bytes, h.Marker.What, h.Marker.Value, h.Form)
}

// needle is a form of a marker.
type needle struct {
	form
	marker *Marker
}

// window is eight bytes of a needle.
type window struct {
	needle *needle
	at     int
}

const (
	windowBytes = 8
	filterBits  = 24
	chunkBytes  = 1 << 20
)

// Search looks for all forms of markers at once: a filter of one bit for each
// hash of eight bytes passes over nearly every place, a table of windows decides
// the others. It is safe for concurrent use.
type Search struct {
	filter  []uint64
	windows map[uint64][]window
	longest int       // bytes of a form
	zeros   int       // zero bytes in a row in a form, at most
	buffers sync.Pool // of Reader
}

// New returns the search for markers. It panics on one that is too short to be
// told from anything else.
func New(markers []*Marker) *Search {
	s := &Search{filter: make([]uint64, 1<<filterBits/64), windows: map[uint64][]window{}}
	s.buffers.New = func() any {
		b := make([]byte, s.longest+chunkBytes)
		return &b
	}
	for _, m := range markers {
		if len(m.Value) < windowBytes {
			panic("canary: a marker of less than eight bytes")
		}
		for _, f := range formsOf(m) {
			s.add(&needle{f, m})
		}
	}
	return s
}

// add enters as many windows as are needed to meet every stretch of least bytes.
func (s *Search) add(n *needle) {
	s.longest = max(s.longest, len(n.text))
	for zeros := 0; bytes.Contains(n.text, make([]byte, zeros)); zeros++ {
		s.zeros = max(s.zeros, zeros)
	}
	for at := 0; at+windowBytes <= len(n.text); at += n.least - windowBytes + 1 {
		key := binary.LittleEndian.Uint64(n.text[at:])
		place := filterPlace(key)
		s.filter[place/64] |= 1 << (place % 64)
		s.windows[key] = append(s.windows[key], window{n, at})
	}
}

func filterPlace(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> (64 - filterBits) }

// Bytes returns what is found in b: of each form of each marker the longest
// stretch.
func (s *Search) Bytes(where string, b []byte) []Hit {
	f := finding{s: s, where: where}
	f.look(b, 0)
	return f.hits
}

// Reader is Bytes for what is read to the end, and returns how much that was.
func (s *Search) Reader(where string, r io.Reader) (hits []Hit, searched int64, err error) {
	f := finding{s: s, where: where}
	buffer := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buffer)
	buf, kept := *buffer, 0 // what lies across two chunks is seen with the second
	for {
		n, err := io.ReadFull(r, buf[kept:])
		f.look(buf[:kept+n], searched-int64(kept))
		searched += int64(n)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return f.hits, searched, nil
		case err != nil:
			return f.hits, searched, fmt.Errorf("search %s: %w", where, err)
		}
		kept = copy(buf, buf[len(buf)-s.longest:])
	}
}

// finding is a search of one place.
type finding struct {
	s     *Search
	where string
	hits  []Hit
	known map[*needle]int // in hits
}

// look searches bytes that lie at an offset in the place.
func (f *finding) look(b []byte, offset int64) {
	filter, empty := f.s.filter, max(windowBytes-1-f.s.zeros, 0)
	for i := 0; i+windowBytes <= len(b); i++ {
		key := binary.LittleEndian.Uint64(b[i:])
		if key == 0 { // with more zeros than any form has the next places begin, too
			i += empty
		}
		place := filterPlace(key)
		if filter[place/64]&(1<<(place%64)) == 0 {
			continue
		}
		for _, w := range f.s.windows[key] {
			f.compare(b, i, offset, w)
		}
	}
}

// compare sees how much of a needle lies around one of its windows.
func (f *finding) compare(b []byte, i int, offset int64, w window) {
	text := w.needle.text
	from, to := 0, windowBytes
	for from < min(i, w.at) && b[i-from-1] == text[w.at-from-1] {
		from++
	}
	for i+to < len(b) && w.at+to < len(text) && b[i+to] == text[w.at+to] {
		to++
	}
	if from+to < w.needle.least {
		return
	}
	hit := Hit{Where: f.where, At: offset + int64(i-from), Form: w.needle.name, Bytes: from + to, Marker: w.needle.marker}
	at, known := f.known[w.needle]
	switch {
	case !known:
		if f.known == nil {
			f.known = map[*needle]int{}
		}
		f.known[w.needle] = len(f.hits)
		f.hits = append(f.hits, hit)
	case hit.Bytes > f.hits[at].Bytes:
		f.hits[at] = hit
	}
}

// Files searches every file below a folder, and the names of all files and
// folders in it. What vanishes meanwhile is passed over: it is a socket, or a
// file that a running program has renamed and that is met under its new name or
// by the next search. Hits are in the order of the names.
func (s *Search) Files(dir string) (hits []Hit, searched int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != dir {
			return nil
		}
		if err != nil {
			return err
		}
		hits = append(hits, s.Bytes("the name of "+path, []byte(d.Name()))...)
		if d.Type()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			hits = append(hits, s.Bytes("the link "+path, []byte(target))...)
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		found, n, err := s.file(path)
		hits, searched = append(hits, found...), searched+n
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return hits, searched, err
}

func (s *Search) file(path string) ([]Hit, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	return s.Reader(path, f)
}
