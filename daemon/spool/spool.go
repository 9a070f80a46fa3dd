package spool

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/seal"
)

// ErrFull says that the spool has no room for more. Nothing was kept: submit the
// same files again when fewer are waiting.
var ErrFull = errors.New("the spool of waiting files is full")

// ErrDamaged says that a lot does not open: its file was changed, or sealed to
// another key. The hospital still has the files that are in it.
var ErrDamaged = errors.New("a lot of waiting files does not open")

const (
	maxLots  = 10_000
	maxBytes = 1 << 30
	label    = "raresync/v1/spool"
)

// Config is what a spool needs.
type Config struct {
	Dir     string
	Sealing *seal.ReaderPrivate          // the hospital's own
	Former  func() []*seal.ReaderPrivate // keys from before a rotation, which open what still waits; may be nil
	Now     func() time.Time

	MaxBytes int64 // of all lots; 0 = 1 GiB
}

// Spool is a directory of lots that wait.
type Spool struct {
	cfg Config

	mu   sync.Mutex // guards what follows, and the directory
	lots []Lot      // oldest first
}

// Lot is what waits together.
type Lot struct {
	Since time.Time // when it was kept
	Files int       // of the hospital
	tag   [8]byte
	id    int64 // ms since 1970, each once
	bytes int64
	bad   bool // does not open; passed over until the next start
}

func (l *Lot) name() string { return fmt.Sprintf("%015d.%d.%x", l.id, l.Files, l.tag) }

func parseName(name string) (l Lot, ok bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return l, false
	}
	id, err := strconv.ParseInt(parts[0], 10, 64)
	files, err2 := strconv.Atoi(parts[1])
	tag, err3 := hex.DecodeString(parts[2])
	if err != nil || err2 != nil || err3 != nil || len(tag) != len(l.tag) {
		return l, false
	}
	l = Lot{Since: time.UnixMilli(id), Files: files, tag: [8]byte(tag), id: id}
	return l, l.name() == name
}

// Open reads what waits. What a crash left half written is removed. Errors are
// ledger.ErrStorage, or name a file that is none of the spool's.
func Open(cfg Config) (*Spool, error) {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = maxBytes
	}
	s := &Spool{cfg: cfg}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, storage("create", err)
	}
	if err := syncDir(filepath.Dir(cfg.Dir)); err != nil {
		return nil, err
	}
	if err := ledger.DestroyUnfinished(cfg.Dir); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	files, err := os.ReadDir(cfg.Dir)
	if err != nil {
		return nil, storage("read", err)
	}
	for _, f := range files {
		l, ok := parseName(f.Name())
		info, err := f.Info()
		if !ok || err != nil {
			return nil, fmt.Errorf("spool: %s is not a file of it: move it elsewhere", f.Name())
		}
		l.bytes = info.Size()
		s.lots = append(s.lots, l)
	}
	slices.SortFunc(s.lots, func(a, b Lot) int { return int(a.id - b.id) })
	return s, nil
}

// Keep seals a lot and makes it durable. The tag tells equal lots: one that
// waits already is not kept again. The error is ErrFull or ledger.ErrStorage.
func (s *Spool) Keep(tag [8]byte, files int, lot []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := int64(0)
	for i := range s.lots {
		if s.lots[i].tag == tag {
			return nil
		}
		total += s.lots[i].bytes
	}
	if len(s.lots) >= maxLots || total+int64(len(lot)) > s.cfg.MaxBytes {
		return fmt.Errorf("%w: %d lots of %d bytes", ErrFull, len(s.lots), total)
	}
	sealed, err := s.cfg.Sealing.Public().SealMessage(label, lot)
	if err != nil {
		return err
	}
	if fault.Planted(fault.LeakSpool) {
		sealed = lot
	}
	l := Lot{Files: files, tag: tag, id: s.cfg.Now().UnixMilli(), bytes: int64(len(sealed))}
	if n := len(s.lots); n > 0 {
		l.id = max(l.id, s.lots[n-1].id+1)
	}
	l.Since = time.UnixMilli(l.id)
	if err := s.write(l, sealed); err != nil {
		return err
	}
	s.lots = append(s.lots, l)
	return nil
}

// write puts a file in place whole.
func (s *Spool) write(l Lot, sealed []byte) error {
	path := filepath.Join(s.cfg.Dir, l.name())
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return storage("create", err)
	}
	if _, err := f.Write(sealed); err != nil {
		return errors.Join(storage("write", err), f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(storage("fsync", err), f.Close())
	}
	if err := f.Close(); err != nil {
		return storage("close", err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return storage("rename", err)
	}
	return syncDir(s.cfg.Dir)
}

// Oldest opens the lot that has waited longest; ok is false if none waits. The
// error is ErrDamaged for one that does not open: it stays, and the next call
// passes it over.
func (s *Spool) Oldest() (l Lot, lot []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.lots, func(l Lot) bool { return !l.bad })
	if i < 0 {
		return Lot{}, nil, false, nil
	}
	lot, err = s.read(&s.lots[i])
	return s.lots[i], lot, true, err
}

// Lots returns what waits, oldest first.
func (s *Spool) Lots() []Lot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lots)
}

// Read opens a lot that Lots returned; ok is false if it has gone meanwhile. The
// error is as for Oldest.
func (s *Spool) Read(l Lot) (lot []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.lots, func(other Lot) bool { return other.id == l.id })
	if i < 0 {
		return nil, false, nil
	}
	lot, err = s.read(&s.lots[i])
	return lot, true, err
}

// read opens a lot. The caller holds mu.
func (s *Spool) read(l *Lot) ([]byte, error) {
	f, err := os.Open(filepath.Join(s.cfg.Dir, l.name()))
	if err != nil {
		return nil, storage("open", err)
	}
	defer f.Close()
	sealed, err := io.ReadAll(io.LimitReader(f, s.cfg.MaxBytes+4096))
	if err != nil {
		return nil, storage("read", err)
	}
	lot, err := s.open(sealed)
	if err != nil {
		l.bad = true
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, l.name(), err)
	}
	return lot, nil
}

// Remove takes a lot away for good: its bytes are zeros before its file goes.
func (s *Spool) Remove(l Lot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ledger.Destroy(filepath.Join(s.cfg.Dir, l.name())); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.lots = slices.DeleteFunc(s.lots, func(other Lot) bool { return other.id == l.id })
	return nil
}

// Waiting returns how many of the hospital's files wait, and since when the
// oldest of them does.
func (s *Spool) Waiting() (files int, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.lots {
		files += s.lots[i].Files
		if since.IsZero() || s.lots[i].Since.Before(since) {
			since = s.lots[i].Since
		}
	}
	return files, since
}

func storage(op string, err error) error {
	if op == "fsync" {
		return fmt.Errorf("%w: %w: spool: %w", ledger.ErrStorage, ledger.ErrFsync, err)
	}
	return fmt.Errorf("%w: spool: %s: %w", ledger.ErrStorage, op, err)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return storage("open", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return storage("fsync", err)
	}
	return nil
}

// open opens a lot with the present key, or with one from before a rotation.
func (s *Spool) open(sealed []byte) ([]byte, error) {
	lot, err := s.cfg.Sealing.OpenMessage(label, sealed)
	if err == nil || s.cfg.Former == nil {
		return lot, err
	}
	for _, key := range s.cfg.Former() {
		if lot, again := key.OpenMessage(label, sealed); again == nil {
			return lot, nil
		}
	}
	return nil, err
}
