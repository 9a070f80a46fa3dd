package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/tlog"
)

func TestLedgerGivesBackWhatWasAppended(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for i := range 12 {
		b.next(uint32(i%3)+1, 1+i*7%60, 16*i)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches[:9])
	wantHolds(t, l, b, 9)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, dir)
	wantHolds(t, l, b, 9)
	appendAll(t, l, b.batches[9:])
	wantHolds(t, l, b, 12)
	if synced, err := l.Sync(); err != nil || synced != b.lengths[12] {
		t.Fatalf("sync: got %+v, %v", synced, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := OpenReadOnly(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	wantHolds(t, copied, b, 12)
	if copied.SyncedLengths() != b.lengths[12] {
		t.Errorf("synced lengths of the copy: %+v", copied.SyncedLengths())
	}
	if err := copied.Append(b.batches[0]); !errors.Is(err, ErrClosed) {
		t.Errorf("append to a read-only copy: %v", err)
	}
}

func TestBatchesThatDoNotFitAreRefusedAndNothingIsWritten(t *testing.T) {
	b := newBuilder(t)
	good := b.next(1, 2, 32)
	for name, change := range map[string]func(*Batch){
		"no entries":                         func(x *Batch) { x.Leaves, x.Bodies = nil, nil },
		"a leaf without a body":              func(x *Batch) { x.Bodies = x.Bodies[:1] },
		"a leaf of 89 bytes":                 func(x *Batch) { x.Leaves = [][]byte{x.Leaves[0], x.Leaves[1][:89]} },
		"no header":                          func(x *Batch) { x.Header = nil },
		"a short ML-DSA signature":           func(x *Batch) { x.MLDSA = x.MLDSA[1:] },
		"a missing leaf hash":                func(x *Batch) { x.Hashes[0] = x.Hashes[0][:1] },
		"a hash at height 8 too early":       func(x *Batch) { x.Hashes[1] = x.Hashes[0][:1] },
		"a previous envelope that is itself": func(x *Batch) { x.PrevOfHospital = 0 },
		"bodies beyond an envelope's limit": func(x *Batch) {
			x.Bodies = []Body{x.Bodies[0], {Ciphertext: make([]byte, MaxEnvelopeBytes)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := open(t, t.TempDir())
			bad := good
			change(&bad)
			if err := l.Append(bad); !errors.Is(err, ErrBatch) {
				t.Fatalf("got %v, want ErrBatch", err)
			}
			appendAll(t, l, []Batch{good})
			wantHolds(t, l, b, 1)
		})
	}
}

func TestReadsBeyondTheEndAreNotYet(t *testing.T) {
	b := newBuilder(t)
	b.next(1, 3, 32)
	l := open(t, t.TempDir())
	appendAll(t, l, b.batches)
	for name, read := range map[string]func() error{
		"leaf":            func() error { _, err := l.Leaf(3); return err },
		"leaf range":      func() error { _, err := l.LeafRange(2, 2); return err },
		"too many leaves": func() error { _, err := l.LeafRange(0, MaxLeafRange+1); return err },
		"leaf at 2^64-1":  func() error { _, err := l.Leaf(^uint64(0)); return err },
		"hashes":          func() error { return l.ReadHashes(0, 3, make([]tlog.Hash, 1)) },
		"height 8":        func() error { return l.ReadHashes(8, 0, make([]tlog.Hash, 1)) },
		"height 4":        func() error { return l.ReadHashes(4, 0, make([]tlog.Hash, 1)) },
		"height 32":       func() error { return l.ReadHashes(32, 0, make([]tlog.Hash, 1)) },
		"envelope":        func() error { _, err := l.Envelope(1); return err },
		"whole envelope":  func() error { _, _, err := l.WholeEnvelope(1); return err },
		"meta":            func() error { _, err := l.Meta(1); return err },
		"envelope at":     func() error { _, err := l.EnvelopeAt(3); return err },
		"body":            func() error { _, err := l.Body(3); return err },
		"body at 2^64-1":  func() error { _, err := l.Body(^uint64(0)); return err },
		"sequence":        func() error { _, _, err := l.FindSequence(1, 1); return err },
		"tile":            func() error { _, err := l.HashTile(0, 0, 4); return err },
		"tile level 4":    func() error { _, err := l.HashTile(4, 0, 1); return err },
		"tile 2^60":       func() error { _, err := l.HashTile(0, 1<<60, 1); return err },
		"lengths":         func() error { _, err := l.LengthsAt(2); return err },
		"bundle":          func() error { _, err := l.EntryBundle(0, 4); return err },
		"empty bundle":    func() error { _, err := l.EntryBundle(0, 0); return err },
	} {
		if err := read(); !errors.Is(err, ErrOutOfRange) {
			t.Errorf("%s: got %v, want ErrOutOfRange", name, err)
		}
	}
}

func TestSequencesAreFoundFromTheHospitalsNewestEnvelope(t *testing.T) {
	b := newBuilder(t)
	for i := range 30 {
		b.next(uint32(i%4)+1, 1, 16)
	}
	l := open(t, t.TempDir())
	appendAll(t, l, b.batches)
	for number, batch := range b.batches {
		got, found, err := l.FindSequence(b.newest[batch.Hospital], batch.Sequence)
		if err != nil || !found || got != uint64(number) {
			t.Errorf("hospital %d sequence %d: got %d, %v, %v, want %d", batch.Hospital, batch.Sequence, got, found, err, number)
		}
	}
	for name, from := range map[string]uint64{"a hospital without envelopes": None, "a sequence not yet used": b.newest[1]} {
		if _, found, err := l.FindSequence(from, 99); found || err != nil {
			t.Errorf("%s: found %v, %v", name, found, err)
		}
	}
	if _, found, err := l.FindSequence(b.newest[1], 0); found || err != nil {
		t.Errorf("sequence 0: found %v, %v", found, err)
	}
}

func TestRootsAndProofsReadFromTheFilesAreThoseOfTheTree(t *testing.T) {
	b := newBuilder(t)
	l := open(t, t.TempDir())
	for i := range 9 { // across two tile borders
		appendAll(t, l, []Batch{b.next(1, 60+i, 0)})
		size := l.Lengths().TreeSize
		root, err := tlog.RootAt(l, size)
		if err != nil || root != b.frontier.Root() {
			t.Fatalf("root at %d: got %x, %v, want %x", size, root, err, b.frontier.Root())
		}
		index := b.random.Uint64N(size)
		proof, err := tlog.InclusionProof(l, index, size)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := l.Leaf(index)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.VerifyInclusion(tlog.LeafHash(leaf), index, size, proof, root); err != nil {
			t.Errorf("leaf %d of %d: %v", index, size, err)
		}
	}
	tile, err := l.HashTile(1, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	var wide [256]tlog.Hash
	if err := l.ReadHashes(0, 256, wide[:]); err != nil {
		t.Fatal(err)
	}
	fold := wide[:]
	for len(fold) > 1 {
		for i := range len(fold) / 2 {
			fold[i] = tlog.NodeHash(fold[2*i], fold[2*i+1])
		}
		fold = fold[:len(fold)/2]
	}
	if !bytes.Equal(tile[32:], fold[0][:]) {
		t.Errorf("hash 1 of tile 1/0 is not the root of tile 0/1")
	}
	bundle, err := l.EntryBundle(1, 256)
	if err != nil || len(bundle) != 23552 || binary.BigEndian.Uint16(bundle) != 90 {
		t.Errorf("bundle 1: %d bytes, %v", len(bundle), err)
	}
}

func TestTruncateReturnsToASnapshotsLengthsAndNeverLengthens(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for i := range 8 {
		b.next(uint32(i%2)+1, 40, 16)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches)
	if _, err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	strange := b.lengths[5]
	strange.BodiesBytes -= 4
	if err := l.Truncate(strange); !errors.Is(err, ErrDamaged) {
		t.Errorf("lengths of another log: got %v, want ErrDamaged", err)
	}
	for _, n := range []int{8, 5, 5, 1} {
		if err := l.Truncate(b.lengths[n]); err != nil {
			t.Fatal(err)
		}
		wantHolds(t, l, b, n)
		if l.SyncedLengths() != b.lengths[n] {
			t.Fatalf("synced lengths after truncating to %d: %+v", n, l.SyncedLengths())
		}
	}
	if err := l.Truncate(b.lengths[2]); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("lengthening: got %v, want ErrOutOfRange", err)
	}
	appendAll(t, l, b.batches[1:6])
	l.Close()
	l = open(t, dir)
	wantHolds(t, l, b, 6)
	if err := l.Truncate(Lengths{}); err != nil {
		t.Fatal(err)
	}
	wantHolds(t, l, b, 0)
}

func TestAFailedWriteStopsTheLedger(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	b.next(1, 2, 16)
	b.next(1, 2, 16)
	l := open(t, dir)
	appendAll(t, l, b.batches[:1])
	l.files[fileLeaves].Close() // the disk goes away
	if err := l.Append(b.batches[1]); !errors.Is(err, ErrStorage) {
		t.Fatalf("got %v, want ErrStorage", err)
	}
	again, err := os.OpenFile(filepath.Join(dir, fileLeaves.name()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	l.files[fileLeaves] = again // the disk is well again: too late
	if _, err := l.Sync(); !errors.Is(err, ErrStorage) {
		t.Fatalf("sync after a failed write: got %v, want ErrStorage", err)
	}
	if err := l.Append(b.batches[1]); !errors.Is(err, ErrStorage) {
		t.Fatalf("append after a failed write: got %v, want ErrStorage", err)
	}
	wantHolds(t, open(t, dir), b, 1)
}

func TestErasedEntriesReadAsZerosAndTheRestStays(t *testing.T) {
	dir, b := t.TempDir(), newBuilder(t)
	for range 3 {
		b.next(1, 4, 8192)
	}
	l := open(t, dir)
	appendAll(t, l, b.batches)
	if err := l.Erase(Span{3, 1}, Span{4, 2}); !errors.Is(err, ErrOutOfRange) {
		t.Fatalf("erasure of what is not fsynced: got %v, want ErrOutOfRange", err)
	}
	if _, err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time is harmless
		if err := l.Erase(Span{3, 1}, Span{4, 2}); err != nil {
			t.Fatal(err)
		}
	}
	zero := Body{Ciphertext: make([]byte, 8192)}
	for i := 3; i < 6; i++ {
		b.batches[i/4].Bodies[i%4] = zero
	}
	wantHolds(t, l, b, 3)
	l.Close()
	wantHolds(t, open(t, dir), b, 3)
}

func TestANewerFormatIsRefused(t *testing.T) {
	for name, content := range map[string]string{
		"a later version":   "raresync ledger 3\n",
		"something else":    "hello\n",
		"version zero":      "raresync ledger 0\n",
		"a negative number": "raresync ledger -1\n",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, formatFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want ErrFormat", name, err)
		}
	}
	if _, err := OpenReadOnly(t.TempDir()); !errors.Is(err, ErrFormat) {
		t.Errorf("an empty directory, read-only: got %v, want ErrFormat", err)
	}
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	open(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != int(fileCount)+2 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, d := range names {
		if info, err := d.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", d.Name(), info.Mode(), err)
		}
	}
}

func FuzzLengthsThatParseEncodeToTheSameBytes(f *testing.F) {
	f.Add(Lengths{}.Append(nil))
	f.Add(newLengths(3, 700, 3*4000, 700*528).Append(nil))
	f.Add(newLengths(1, 1, 1, 1).Append(nil))
	f.Add([]byte{0x8c, 0, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		d := cbor.NewDecoder(in)
		l := DecodeLengths(d)
		if d.Done() != nil {
			return
		}
		if out := l.Append(nil); !bytes.Equal(out, in) {
			t.Fatalf("got %x, want %x", out, in)
		}
	})
}

func FuzzIndexRecordsThatParseEncodeToTheSameBytes(f *testing.F) {
	good := indexRecord{end: 3400, count: 1, hospital: 7, sequence: 1, attempt: 1, prev: None, id: [32]byte{1}}
	f.Add(good.append(nil), uint64(0))
	f.Add(good.append(nil), uint64(9))
	f.Add(make([]byte, indexRecordBytes), uint64(0))
	f.Fuzz(func(t *testing.T, in []byte, n uint64) {
		if len(in) != indexRecordBytes {
			return
		}
		r, err := parseIndexRecord(in, n%maxEntries)
		if err != nil {
			return
		}
		if out := r.append(nil); !bytes.Equal(out, in) {
			t.Fatalf("got %x, want %x", out, in)
		}
	})
}

func ExampleLedger() {
	dir, _ := os.MkdirTemp("", "ledger")
	defer os.RemoveAll(dir)
	l, err := Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	fmt.Println(l.Lengths().TreeSize)
	_, err = l.Leaf(0)
	fmt.Println(err)
	// Output:
	// 0
	// read 1 leaves from 0: beyond the end of the ledger
}

// TestEnvelopesAppendedTogetherLieAsOneByOne appends more than one group.
func TestEnvelopesAppendedTogetherLieAsOneByOne(t *testing.T) {
	b := newBuilder(t)
	var all []Batch
	for i := range 30 {
		all = append(all, b.next(uint32(1+i%3), 10+i, 4000))
	}
	if b.at.BodiesBytes < 2*groupBytes {
		t.Fatalf("%d bytes of bodies are no two groups", b.at.BodiesBytes)
	}
	one, together := t.TempDir(), t.TempDir()
	appendAll(t, open(t, one), all)
	l := open(t, together)
	if err := l.Append(all...); err != nil {
		t.Fatal(err)
	}
	wantHolds(t, l, b, len(all))
	for f := range fileCount {
		want, err := os.ReadFile(filepath.Join(one, f.name()))
		got, err2 := os.ReadFile(filepath.Join(together, f.name()))
		if err := errors.Join(err, err2); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v, want the %d of one by one", f.name(), len(got), err, len(want))
		}
	}
}

func TestNothingIsAppendedOfEnvelopesOfWhichOneIsRefused(t *testing.T) {
	b := newBuilder(t)
	l := open(t, t.TempDir())
	good, bad := b.next(1, 3, 8), b.next(1, 3, 8)
	bad.MLDSA = bad.MLDSA[1:]
	if err := l.Append(good, bad); !errors.Is(err, ErrBatch) {
		t.Errorf("got %v, want %v", err, ErrBatch)
	}
	if at := l.Lengths(); at != (Lengths{}) {
		t.Errorf("lengths %+v, want none", at)
	}
}
