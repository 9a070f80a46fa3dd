package ledger

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
)

// damage changes one byte of a file under an open ledger.
func damage(t *testing.T, dir string, f fileID, off uint64) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, f.name()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var b [1]byte
	if _, err := file.ReadAt(b[:], int64(off)); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x20
	if _, err := file.WriteAt(b[:], int64(off)); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, dir string) (out [fileCount][]byte) {
	t.Helper()
	for f := range fileCount {
		b, err := os.ReadFile(filepath.Join(dir, f.name()))
		if err != nil {
			t.Fatal(err)
		}
		out[f] = b
	}
	return out
}

func TestEveryByteOfAnEnvelopesRecordsIsCoveredByItsChecksum(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for range 3 {
		b.next(1, 2, 16)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches)
	for f, step := range map[fileID]uint64{fileIndex: 1, fileEnvelopes: 17} {
		for off := b.lengths[1].bytes(f); off < b.lengths[2].bytes(f); off += step {
			damage(t, dir, f, off)
			if _, err := l.Envelope(1); !errors.Is(err, ErrDamaged) {
				t.Fatalf("%s byte %d: got %v, want ErrDamaged", f.name(), off, err)
			}
			damage(t, dir, f, off)
		}
	}
	wantHolds(t, l, b, 3)
}

func TestARewrittenEnvelopeIsTheOldOneByteForByte(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for i := range 4 {
		b.next(uint32(i%2)+1, 100, 16)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches)
	want := content(t, dir)
	for number := range b.batches {
		at := b.lengths[number]
		for _, f := range []fileID{fileLeaves, fileEnvelopes, fileIndex, fileBodies, fileBodyIndex, fileSalts, fileHashes0} {
			damage(t, dir, f, at.bytes(f)+3)
		}
		after, err := l.Rewrite(at, b.batches[number])
		if err != nil || after != b.lengths[number+1] {
			t.Fatalf("rewrite %d: %+v, %v", number, after, err)
		}
		if err := l.RewriteHashes(0, at.TreeSize, b.batches[number].Hashes[0]); err != nil {
			t.Fatal(err)
		}
	}
	for f, got := range content(t, dir) {
		if !bytes.Equal(got, want[f]) {
			t.Errorf("%s is not what it was", fileID(f).name())
		}
	}
	wantHolds(t, l, b, 4)
}

func TestNothingIsRewrittenThatDoesNotFitItsPlace(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for range 3 {
		b.next(1, 2, 16)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches)
	want := content(t, dir)
	long := b.batches[2]
	long.Bodies = []Body{long.Bodies[0], {Ciphertext: make([]byte, 17)}}
	for name, err := range map[string]error{
		"a longer last envelope":   second(l.Rewrite(b.lengths[2], long)),
		"one behind the end":       second(l.Rewrite(b.lengths[3], b.batches[2])),
		"no leaves":                second(l.Rewrite(b.lengths[1], Batch{Header: []byte{1}, MLDSA: long.MLDSA})),
		"hashes behind the end":    l.RewriteHashes(0, 6, make([]tlog.Hash, 1)),
		"a height that is not one": l.RewriteHashes(4, 0, make([]tlog.Hash, 1)),
	} {
		if !errors.Is(err, ErrBatch) && !errors.Is(err, ErrOutOfRange) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for f, got := range content(t, dir) {
		if !bytes.Equal(got, want[f]) {
			t.Errorf("%s has changed", fileID(f).name())
		}
	}
}

func second(_ Lengths, err error) error { return err }

func TestALedgerWithoutItsEndIsExtendedAndCutToKnownLengths(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for range 4 {
		b.next(1, 3, 16)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches[:2])
	if err := l.Extend(b.lengths[4]); err != nil || l.Lengths() != b.lengths[4] || !errors.Is(l.Suspect(), ErrDamaged) {
		t.Fatalf("extend: %v, %+v", err, l.Lengths())
	}
	if _, err := l.Envelope(3); !errors.Is(err, ErrDamaged) {
		t.Errorf("an envelope of zeros: got %v, want ErrDamaged", err)
	}
	if err := l.Truncate(b.lengths[3]); !errors.Is(err, ErrDamaged) {
		t.Errorf("truncate where the index is lost: got %v, want ErrDamaged", err)
	}
	for n := 2; n < 4; n++ {
		if _, err := l.Rewrite(b.lengths[n], b.batches[n]); err != nil {
			t.Fatal(err)
		}
	}
	wantHolds(t, l, b, 4)
	damage(t, dir, fileIndex, 2*indexRecordBytes)
	if err := l.Cut(b.lengths[3]); err != nil || l.Lengths() != b.lengths[3] {
		t.Errorf("cut: %v, %+v", err, l.Lengths())
	}
	if err := l.Cut(b.lengths[4]); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("cut to more: got %v, want ErrOutOfRange", err)
	}
	if rec, err := l.RecordAt(b.lengths[2]); err != nil || !bytes.Equal(rec.Header, b.batches[2].Header) {
		t.Errorf("the record without its line in the index: %v", err)
	}
}
