package slot

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// filled returns a file that was stored to n times, and its bytes.
func filled(t *testing.T, n int) (path string, raw []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "value")
	f := open(t, path)
	for i := range n {
		if err := f.Store(fmt.Appendf(nil, "value %d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, raw
}

func replace(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheNewestValueIsThereAfterEveryStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value")
	if f := open(t, path); f.Value() != nil {
		t.Errorf("a new file holds %q", f.Value())
	}
	for i := range 5 {
		f := open(t, path)
		want := bytes.Repeat([]byte{byte(i + 1)}, MaxValueBytes-i)
		if err := f.Store(want); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(f.Value(), want) || !bytes.Equal(open(t, path).Value(), want) {
			t.Errorf("store %d: got %x, after opening %x", i, f.Value(), open(t, path).Value())
		}
	}
	if got, err := Read(path); err != nil || len(got) != MaxValueBytes-4 {
		t.Errorf("read: %d bytes, %v", len(got), err)
	}
	for _, n := range []int{0, MaxValueBytes + 1} {
		if err := open(t, path).Store(make([]byte, n)); !errors.Is(err, ledger.ErrStorage) {
			t.Errorf("%d bytes: %v, want %v", n, err, ledger.ErrStorage)
		}
	}
}

// A crash in Store leaves any of its two sectors written or not.
func TestACrashInStoreLeavesTheValueBeforeOrTheNewOne(t *testing.T) {
	for n := range 4 {
		path, before := filled(t, n)
		if err := open(t, path).Store([]byte("new")); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		old := ""
		if n > 0 {
			old = fmt.Sprintf("value %d", n)
		}
		for mask := range 4 {
			torn := bytes.Clone(before)
			for i, off := range []int{0, blockBytes} {
				if at := (n+2)%2*slotBytes + off; mask>>i&1 == 1 {
					copy(torn[at:at+sectorBytes], after[at:])
				}
			}
			replace(t, path, torn)
			got := string(open(t, path).Value())
			if want := map[bool]string{true: old, false: "new"}[mask == 0]; got != want {
				t.Errorf("after %d values, sectors %02b of the next written: got %q, want %q", n, mask, got, want)
			}
			if again := string(open(t, path).Value()); again != got {
				t.Errorf("opened again: %q, before %q", again, got)
			}
		}
	}
}

func TestADamagedBlockIsHealedFromItsTwin(t *testing.T) {
	path, good := filled(t, 3)
	random := rand.New(rand.NewPCG(1, 2))
	for at := range len(good) {
		if at%blockBytes >= sectorBytes {
			continue // nothing is kept there
		}
		bad := bytes.Clone(good)
		bad[at] ^= 1 << random.IntN(8)
		replace(t, path, bad)
		if got := string(open(t, path).Value()); got != "value 3" {
			t.Fatalf("byte %d flipped: got %q", at, got)
		}
		if healed, err := os.ReadFile(path); err != nil || !bytes.Equal(healed, good) {
			t.Fatalf("byte %d flipped: not healed, %v", at, err)
		}
	}
}

func TestAnOlderValueIsNeverGivenForTheNewest(t *testing.T) {
	path, good := filled(t, 3)
	change := func(f func(b []byte) []byte) []byte { return f(bytes.Clone(good)) }
	for name, bad := range map[string][]byte{
		"both copies of the newest":   change(func(b []byte) []byte { b[0] ^= 1; b[blockBytes] ^= 1; return b }),
		"both copies of the other":    change(func(b []byte) []byte { b[slotBytes] ^= 1; b[slotBytes+blockBytes] ^= 1; return b }),
		"one of its newest slot left": change(func(b []byte) []byte { return b[:blockBytes+sectorBytes] }),
		"cut by a byte":               change(func(b []byte) []byte { return b[:len(b)-1] }),
		"cut to nothing":              {},
		"longer than it can be":       append(bytes.Clone(good), 0),
		"zeros":                       make([]byte, fileBytes),
		"a slot from another time":    change(func(b []byte) []byte { put(b, copyOf{counter: 8}); return b }),
	} {
		replace(t, path, bad)
		if f, err := Open(path); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v, want %v", name, err, ledger.ErrDamaged)
			if err == nil {
				f.Close()
			}
		}
		if _, err := Read(path); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: read: %v, want %v", name, err, ledger.ErrDamaged)
		}
	}
}

func TestAFailedStoreSaysSo(t *testing.T) {
	path, _ := filled(t, 1)
	f := open(t, path)
	f.file.Close() // the disk goes away
	if err := f.Store([]byte("late")); !errors.Is(err, ledger.ErrStorage) {
		t.Errorf("got %v, want %v", err, ledger.ErrStorage)
	}
	if got := string(f.Value()); got != "value 1" {
		t.Errorf("after a failed store: %q", got)
	}
}

func FuzzNothingIsReadThatWasNotStored(f *testing.F) {
	f.Add(uint16(0), uint16(4096), byte(1))
	f.Add(uint16(8192), uint16(12288), byte(128))
	f.Fuzz(func(t *testing.T, a, b uint16, flip byte) {
		raw := make([]byte, fileBytes)
		put(raw, copyOf{counter: 4, value: []byte("old")})
		put(raw, copyOf{counter: 5, value: []byte("new")})
		for _, at := range []uint16{a, b} {
			raw[int(at)%len(raw)] ^= flip
		}
		if slots, err := parse(raw); err == nil && string(slots.newest().value) != "new" {
			t.Fatalf("got %q", slots.newest().value)
		}
	})
}
