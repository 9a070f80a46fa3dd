package spool

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/seal"
)

func sealing(t *testing.T) *seal.ReaderPrivate {
	t.Helper()
	k, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// shelf is a spool whose directory can be opened again.
func shelf(t *testing.T, change func(*Config)) (open func() *Spool, dir string) {
	t.Helper()
	cfg := Config{
		Dir: filepath.Join(t.TempDir(), "spool"), Sealing: sealing(t), Now: func() time.Time { return time.UnixMilli(1_790_000_000_000) },
	}
	if change != nil {
		change(&cfg)
	}
	return func() *Spool {
		t.Helper()
		s, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}, cfg.Dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLotsWaitInOrderOverRestartsUntilRemoved(t *testing.T) {
	open, _ := shelf(t, nil)
	s := open()
	for i := range byte(3) {
		must(t, s.Keep([8]byte{i}, int(i)+1, []byte{'a' + i}))
	}
	must(t, s.Keep([8]byte{1}, 2, []byte{'b'})) // the same again
	for i := range byte(3) {
		s = open()
		files, since := s.Waiting()
		if want := []int{6, 5, 3}[i]; files != want || since.UnixMilli() != 1_790_000_000_000+int64(i) {
			t.Errorf("%d files wait since %s, want %d", files, since, want)
		}
		l, lot, ok, err := s.Oldest()
		if err != nil || !ok || string(lot) != string('a'+rune(i)) || l.Files != int(i)+1 {
			t.Errorf("the oldest is %q, %v, %v", lot, ok, err)
		}
		must(t, s.Remove(l))
	}
	if _, _, ok, err := open().Oldest(); ok || err != nil {
		t.Errorf("after the last: %v, %v", ok, err)
	}
}

func TestNothingUnsealedIsOnTheDisk(t *testing.T) {
	open, dir := shelf(t, nil)
	secret := []byte("100000199001010016 Zhang Sanfeng")
	must(t, open().Keep([8]byte{1}, 1, secret))
	seen := 0
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		seen++
		raw, err := os.ReadFile(path)
		if bytes.Contains(raw, secret[:6]) || strings.Contains(path, "Zhang") || info.Mode().Perm() != 0o600 {
			t.Errorf("%s of mode %v: %q", path, info.Mode(), raw)
		}
		return err
	}))
	if seen != 1 {
		t.Errorf("%d files were looked at", seen)
	}
}

func TestALotOfAnotherKeyOrDamagedDoesNotOpen(t *testing.T) {
	var cfg Config
	open, dir := shelf(t, func(c *Config) { cfg = *c })
	must(t, open().Keep([8]byte{1}, 1, []byte("lot")))
	cfg.Dir, cfg.Sealing = dir, sealing(t)
	other, err := Open(cfg)
	must(t, err)
	if _, _, ok, err := other.Oldest(); !ok || !errors.Is(err, ErrDamaged) {
		t.Errorf("with another key: %v, %v", ok, err)
	}
	files, err := os.ReadDir(dir)
	must(t, err)
	path := filepath.Join(dir, files[0].Name())
	raw, err := os.ReadFile(path)
	must(t, err)
	raw[len(raw)-1] ^= 1
	must(t, os.WriteFile(path, raw, 0o600))
	if _, _, ok, err := open().Oldest(); !ok || !errors.Is(err, ErrDamaged) {
		t.Errorf("with a flipped bit: %v, %v", ok, err)
	}
}

func TestASpoolIsBounded(t *testing.T) {
	open, _ := shelf(t, func(c *Config) { c.MaxBytes = 5000 })
	s := open()
	must(t, s.Keep([8]byte{1}, 1, make([]byte, 3000)))
	if err := s.Keep([8]byte{2}, 1, make([]byte, 3000)); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the bytes: %v", err)
	}
	if files, _ := open().Waiting(); files != 1 {
		t.Errorf("%d files wait, want 1", files)
	}
	s.lots = make([]Lot, maxLots)
	if err := s.Keep([8]byte{3}, 1, nil); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the lots: %v", err)
	}
}

func TestWhatACrashLeftIsRemovedAndAStrangersFileNamed(t *testing.T) {
	open, dir := shelf(t, nil)
	must(t, open().Keep([8]byte{1}, 1, []byte("lot")))
	half := filepath.Join(dir, "001790000000009.1.0100000000000000.tmp")
	must(t, os.WriteFile(half, []byte("half"), 0o600))
	if files, _ := open().Waiting(); files != 1 {
		t.Errorf("%d files wait, want 1", files)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was half written: %v", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	if _, err := Open(Config{Dir: dir, Sealing: sealing(t), Now: time.Now}); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("with a stranger's file: %v", err)
	}
}
