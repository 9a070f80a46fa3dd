package ledger

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// written returns a ledger of nine envelopes.
func written(t *testing.T) (*Ledger, *builder) {
	t.Helper()
	b := newBuilder(t)
	for i := range 9 {
		b.next(uint32(i%3)+1, 1+i*50%300, 16*i)
	}
	l := open(t, t.TempDir())
	appendAll(t, l, b.batches)
	return l, b
}

// readParts takes a ledger apart.
func readParts(t *testing.T, l *Ledger, at Lengths) map[string][]byte {
	t.Helper()
	parts := map[string][]byte{}
	for _, p := range at.Parts() {
		r, err := l.OpenPart(p)
		if err != nil {
			t.Fatal(err)
		}
		if parts[p.Name], err = io.ReadAll(r); err != nil || uint64(len(parts[p.Name])) != p.Bytes {
			t.Fatalf("part %s: %d bytes, %v, want %d", p.Name, len(parts[p.Name]), err, p.Bytes)
		}
	}
	return parts
}

func TestPartsOfALedgerMakeTheSameLedger(t *testing.T) {
	l, b := written(t)
	at, err := l.LengthsAtSize(b.lengths[6].TreeSize)
	if err != nil || at != b.lengths[6] {
		t.Fatalf("lengths at size %d: %+v, %v", b.lengths[6].TreeSize, at, err)
	}
	parts := readParts(t, l, at)
	apart, err := OpenParts(at.Envelopes, at.TreeSize, func(name string) (io.ReaderAt, uint64) {
		return bytes.NewReader(parts[name]), uint64(len(parts[name]))
	})
	if err != nil {
		t.Fatal(err)
	}
	defer apart.Close()
	wantHolds(t, apart, b, 6)
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := Import(dir, at, func(p Part) (io.Reader, error) { return bytes.NewReader(parts[p.Name]), nil }); err != nil {
		t.Fatal(err)
	}
	imported := open(t, dir)
	wantHolds(t, imported, b, 6)
	if imported.SyncedLengths() != at {
		t.Errorf("an imported ledger counts %+v as fsynced", imported.SyncedLengths())
	}
	appendAll(t, imported, b.batches[6:])
	wantHolds(t, imported, b, 9)
}

func TestLengthsAreThoseOfASizeAtTheEndOfAnEnvelope(t *testing.T) {
	l, b := written(t)
	for n, want := range b.lengths[1:] {
		if got, err := l.LengthsAtSize(want.TreeSize); err != nil || got != want {
			t.Errorf("after envelope %d: %+v, %v", n, got, err)
		}
	}
	for _, size := range []uint64{b.lengths[2].TreeSize + 1, l.Lengths().TreeSize + 1} {
		if _, err := l.LengthsAtSize(size); !errors.Is(err, ErrOutOfRange) {
			t.Errorf("size %d: %v, want ErrOutOfRange", size, err)
		}
	}
}

func TestPartsThatAreNoLedgerAreRefused(t *testing.T) {
	l, b := written(t)
	at := b.lengths[9]
	parts := readParts(t, l, at)
	for name, change := range map[string]func(envelopes, size *uint64, parts map[string][]byte){
		"an envelope too many":      func(envelopes, _ *uint64, _ map[string][]byte) { *envelopes++ },
		"an entry too few":          func(_, size *uint64, _ map[string][]byte) { *size-- },
		"more envelopes than fit":   func(envelopes, size *uint64, _ map[string][]byte) { *envelopes = *size + 1 },
		"a body a byte longer":      func(_, _ *uint64, p map[string][]byte) { p["bodies"] = append(p["bodies"], 0) },
		"an index a record shorter": func(_, _ *uint64, p map[string][]byte) { p["bodies.idx"] = p["bodies.idx"][8:] },
	} {
		envelopes, size, changed := at.Envelopes, at.TreeSize, maps.Clone(parts)
		change(&envelopes, &size, changed)
		if _, err := OpenParts(envelopes, size, func(name string) (io.ReaderAt, uint64) {
			return bytes.NewReader(changed[name]), uint64(len(changed[name]))
		}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	if _, err := l.OpenPart(Part{Name: "nothing"}); !errors.Is(err, ErrFormat) {
		t.Errorf("a part of no ledger: %v, want ErrFormat", err)
	}
	short := func(p Part) (io.Reader, error) { return bytes.NewReader(parts[p.Name][1:]), nil }
	if err := Import(filepath.Join(t.TempDir(), "ledger"), at, short); !errors.Is(err, ErrDamaged) {
		t.Errorf("import of shortened parts: %v, want ErrDamaged", err)
	}
	if err := Import(t.TempDir(), at, short); !errors.Is(err, os.ErrExist) && !errors.Is(err, ErrStorage) {
		t.Errorf("import into what is there: %v", err)
	}
}

func TestSaltsThatWereLeftOutAreFilledIn(t *testing.T) {
	l, b := written(t)
	at := b.lengths[9]
	parts := readParts(t, l, at)
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := Import(dir, at, func(p Part) (io.Reader, error) {
		if p.Name == SaltsPart {
			return nil, nil
		}
		return bytes.NewReader(parts[p.Name]), nil
	}); err != nil {
		t.Fatal(err)
	}
	bare := open(t, dir)
	if body, err := bare.Body(3); err != nil || body.Salt != [SaltBytes]byte{} || !bytes.Equal(body.Ciphertext, b.batches[1].Bodies[2].Ciphertext) {
		t.Errorf("body 3 without salt: %+v, %v", body, err)
	}
	for n, batch := range b.batches {
		if err := bare.Refill(uint64(n), batch.Bodies); err != nil {
			t.Fatal(err)
		}
	}
	wantHolds(t, bare, b, 9)
	if err := bare.Refill(2, b.batches[2].Bodies[1:]); !errors.Is(err, ErrBatch) {
		t.Errorf("a body too few: %v, want ErrBatch", err)
	}
	if err := bare.Refill(9, nil); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("an envelope beyond the end: %v, want ErrOutOfRange", err)
	}
	longer := []Body{{Ciphertext: make([]byte, 99)}}
	if err := bare.Refill(0, longer); !errors.Is(err, ErrDamaged) {
		t.Errorf("a longer body: %v, want ErrDamaged", err)
	}
	wantHolds(t, bare, b, 9)
}
