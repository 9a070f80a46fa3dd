package consensus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/cbor"
)

// Facts of a node's erasures, beside its ledger.
const (
	erasedFile = "erased" // through which withdrawal all is carried out
	owedFile   = "owed"   // of an erasure that is not over: how to know its entries again
)

const (
	printBytes = 16 // of an entry's ciphertext, from where it cannot be padding
	maxPrints  = 1 << 20
)

// watermark says through which withdrawal this node has carried out all: an
// envelope number, 0 before the first. It lies on the disk.
type watermark struct {
	path string

	mu      sync.Mutex // guards what follows
	through uint64
	changed chan struct{} // closed and replaced when it changes
}

// load takes a damaged mark for none: what was erased is erased again.
func (w *watermark) load(dir string) error {
	w.path, w.changed = filepath.Join(dir, erasedFile), make(chan struct{})
	raw, err := ledger.ReadFileDurable(w.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ledger.ErrDamaged):
		return nil
	case err != nil:
		return err
	}
	d := cbor.NewDecoder(raw)
	through := d.Uint()
	if d.Done() == nil {
		w.through = through
	}
	return nil
}

func (w *watermark) get() (through uint64, changed <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.through, w.changed
}

func (w *watermark) set(through uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.store(through)
}

func (w *watermark) store(through uint64) error {
	if err := ledger.WriteFileDurable(w.path, cbor.AppendUint(nil, through)); err != nil {
		return err
	}
	w.through = through
	close(w.changed)
	w.changed = make(chan struct{})
	return nil
}

// withdrawn is told of each withdrawal before it counts as applied. One that
// was carried out before is owed again: the copy went back in time, and what
// leads up to it was written anew.
func (w *watermark) withdrawn(number uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number > w.through {
		return nil
	}
	return w.store(number - 1)
}

// owed is how the entries of an erasure that is not over are found again, where
// they may lie without their index: a piece of each ciphertext.
type owed struct {
	path   string
	prints map[[printBytes]byte]bool
}

// loadOwed returns what is owed from an erasure that was interrupted. A damaged
// record is none: its pieces are taken anew from what is still there.
func loadOwed(dir string) (*owed, error) {
	o := &owed{path: filepath.Join(dir, owedFile), prints: map[[printBytes]byte]bool{}}
	raw, err := ledger.ReadFileDurable(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ledger.ErrDamaged):
		return o, nil
	case err != nil:
		return nil, err
	}
	d := cbor.NewDecoder(raw)
	flat := d.Bytes(maxPrints * printBytes)
	if d.Done() != nil || len(flat)%printBytes != 0 {
		return o, nil
	}
	for ; len(flat) > 0; flat = flat[printBytes:] {
		o.prints[[printBytes]byte(flat)] = true
	}
	return o, nil
}

// add takes a piece of a ciphertext, unless it reads as zeros already.
func (o *owed) add(ciphertext []byte) {
	if len(ciphertext) < 2*printBytes || len(o.prints) >= maxPrints {
		return
	}
	p := [printBytes]byte(ciphertext[len(ciphertext)-printBytes:])
	if p != ([printBytes]byte{}) {
		o.prints[p] = true
	}
}

func (o *owed) save() error {
	flat := make([]byte, 0, len(o.prints)*printBytes)
	for p := range o.prints { // in any order: this file is nobody else's
		flat = append(flat, p[:]...)
	}
	return ledger.ReplaceDurable(o.path, cbor.AppendBytes(nil, flat))
}

// end destroys the record: its pieces are of what was erased.
func (o *owed) end() error {
	if err := ledger.Destroy(o.path); err != nil {
		return fmt.Errorf("end what was owed: %w", err)
	}
	return nil
}

// foundIn reports whether a file holds a piece of what is owed.
func (o *owed) foundIn(path string) (bool, error) {
	if len(o.prints) == 0 {
		return false, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ledger.ErrStorage, err)
	}
	defer f.Close()
	var first [1 << 16]bool // most places end here
	for p := range o.prints {
		first[uint16(p[0])<<8|uint16(p[1])] = true
	}
	buf := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := f.Read(buf[kept:])
		window := buf[:kept+n]
		for i := 0; i+printBytes <= len(window); i++ {
			if first[uint16(window[i])<<8|uint16(window[i+1])] && o.prints[[printBytes]byte(window[i:])] {
				return true, nil
			}
		}
		if n == 0 || err != nil {
			return false, ignoreEOF(err)
		}
		kept = copy(buf, window[max(0, len(window)-printBytes+1):])
	}
}
