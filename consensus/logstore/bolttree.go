package logstore

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// Kinds of page, and of a leaf's element.
const (
	branchPage    = 0x01
	leafPage      = 0x02
	bucketElement = 0x01

	elementBytes = 16
	inBucket     = 16 // a bucket's root page and sequence, at the head of its value
	logKeyBytes  = 8
	maxTreeDepth = 32
)

// A boltTree is the B+tree of a bbolt file, walked without trust. Pages carry
// no checksum, and bbolt follows whatever they say, in part from a goroutine
// of its own where a fault ends the process: so every page that can be reached
// is looked at here before bbolt sees the file.
type boltTree struct {
	file io.ReaderAt
	meta boltMeta
	seen map[uint64]bool // pages reached
	last []byte          // key before, in the bucket at hand
}

// checkBolt walks the file at path. A page that makes no sense, keys out of
// order, a file shorter than it says or a damaged metadata page is ErrDamaged.
func checkBolt(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	meta, err := newestMeta(f)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if end := uint64(info.Size()) / uint64(meta.pageBytes); meta.pages > end {
		return fmt.Errorf("%w: %d pages, want %d", ErrDamaged, end, meta.pages)
	}
	t := &boltTree{file: f, meta: meta, seen: map[uint64]bool{}}
	return t.walk(meta.root, bounds{}, 0, t.bucket)
}

// bounds are what the keys of a page must lie in: from (included) to
// (excluded); nil is open.
type bounds struct{ from, to []byte }

// node is a page, or one that lies in a bucket's value.
type node struct {
	base, size int64 // in the file
	flags      uint16
	count      int
}

// element is one of a node's.
type element struct {
	flags       uint32
	key         []byte
	child       uint64 // of a branch
	value, size int64  // of a leaf: place in the file and bytes
}

func (t *boltTree) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// walk visits the page and all below it, and gives a leaf's elements to visit.
func (t *boltTree) walk(id uint64, in bounds, depth int, visit func(element) error) error {
	n, err := t.page(id)
	if err != nil {
		return err
	}
	if depth > maxTreeDepth {
		return t.damaged("page %d lies too deep", id)
	}
	if n.flags == leafPage {
		if n.count == 0 && depth > 0 {
			return t.damaged("page %d is empty", id)
		}
		return t.leaf(n, in, visit)
	}
	return t.branch(n, in, depth, visit)
}

// page reads a page's header and checks that it is in use, once, and itself.
func (t *boltTree) page(id uint64) (node, error) {
	head := make([]byte, pageHeadBytes)
	if id < 2 || id >= t.meta.pages {
		return node{}, t.damaged("page %d of %d", id, t.meta.pages)
	}
	base := int64(id) * int64(t.meta.pageBytes)
	if err := readFull(t.file, head, base); err != nil {
		return node{}, err
	}
	n := node{base: base, flags: binary.NativeEndian.Uint16(head[8:]), count: int(binary.NativeEndian.Uint16(head[10:]))}
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	n.size = int64(more+1) * int64(t.meta.pageBytes)
	if binary.NativeEndian.Uint64(head) != id || id+more >= t.meta.pages || n.flags != leafPage && n.flags != branchPage {
		return n, t.damaged("header of page %d", id)
	}
	for p := id; p <= id+more; p++ {
		if t.seen[p] {
			return n, t.damaged("page %d is reached twice", p)
		}
		t.seen[p] = true
	}
	return n, nil
}

func (t *boltTree) branch(n node, in bounds, depth int, visit func(element) error) error {
	elements, err := t.elements(n)
	if err != nil {
		return err
	}
	if len(elements) == 0 {
		return t.damaged("an empty branch")
	}
	for i, e := range elements {
		below := bounds{e.key, in.to}
		if i+1 < len(elements) {
			below.to = elements[i+1].key
		}
		if i == 0 && bytes.Compare(e.key, in.from) < 0 || below.to != nil && bytes.Compare(e.key, below.to) >= 0 {
			return t.damaged("keys of a branch out of order")
		}
		if err := t.walk(e.child, below, depth+1, visit); err != nil {
			return err
		}
	}
	return nil
}

func (t *boltTree) leaf(n node, in bounds, visit func(element) error) error {
	elements, err := t.elements(n)
	if err != nil {
		return err
	}
	for _, e := range elements {
		if t.last != nil && bytes.Compare(e.key, t.last) <= 0 || bytes.Compare(e.key, in.from) < 0 || in.to != nil && bytes.Compare(e.key, in.to) >= 0 {
			return t.damaged("keys out of order")
		}
		t.last = e.key
		if err := visit(e); err != nil {
			return err
		}
	}
	return nil
}

// elements reads a node's elements; all of each lies within the node.
func (t *boltTree) elements(n node) ([]element, error) {
	head := pageHeadBytes + int64(n.count)*elementBytes
	if head > n.size {
		return nil, t.damaged("%d elements in %d bytes", n.count, n.size)
	}
	raw := make([]byte, head)
	if err := readFull(t.file, raw, n.base); err != nil {
		return nil, err
	}
	list := make([]element, n.count)
	for i := range list {
		off := pageHeadBytes + int64(i)*elementBytes
		word := func(k int64) int64 { return int64(binary.NativeEndian.Uint32(raw[off+4*k:])) }
		e, at, keyBytes := element{}, off+word(0), word(1)
		if n.flags == branchPage {
			e.child = binary.NativeEndian.Uint64(raw[off+8:])
		} else {
			e.flags, e.size = uint32(word(0)), word(3)
			at, keyBytes = off+word(1), word(2)
			e.value = n.base + at + keyBytes
		}
		if at < head || at+keyBytes+e.size > n.size || keyBytes == 0 {
			return nil, t.damaged("element %d lies outside of its page", i)
		}
		e.key = make([]byte, keyBytes)
		if err := readFull(t.file, e.key, n.base+at); err != nil {
			return nil, err
		}
		list[i] = e
	}
	return list, nil
}

// bucket visits one of raft-boltdb's two buckets, whose root is a page or, of
// a small one, lies in the value itself.
func (t *boltTree) bucket(e element) error {
	name := string(e.key)
	if e.flags != bucketElement || e.size < inBucket || name != "logs" && name != "conf" {
		return t.damaged("%q is not one of its buckets", name)
	}
	head := make([]byte, inBucket)
	if err := readFull(t.file, head, e.value); err != nil {
		return err
	}
	before := t.last
	t.last = nil
	defer func() { t.last = before }()
	visit := func(e element) error {
		if e.flags != 0 || name == "logs" && len(e.key) != logKeyBytes {
			return t.damaged("an element that is no record")
		}
		return nil
	}
	if root := binary.NativeEndian.Uint64(head); root != 0 {
		return t.walk(root, bounds{}, 0, visit)
	}
	return t.inline(e, visit)
}

func (t *boltTree) inline(e element, visit func(element) error) error {
	head := make([]byte, pageHeadBytes)
	if e.size < inBucket+pageHeadBytes {
		return t.damaged("a bucket of %d bytes", e.size)
	}
	if err := readFull(t.file, head, e.value+inBucket); err != nil {
		return err
	}
	n := node{
		base: e.value + inBucket, size: e.size - inBucket,
		flags: binary.NativeEndian.Uint16(head[8:]), count: int(binary.NativeEndian.Uint16(head[10:])),
	}
	if n.flags != leafPage {
		return t.damaged("a bucket in a value that is no leaf")
	}
	return t.leaf(n, bounds{}, visit)
}
