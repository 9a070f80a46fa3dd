package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
)

// crashed is a ledger of two synced and one unsynced envelope whose files a
// test cuts; reopen puts them back before each cut.
type crashed struct {
	dir   string
	b     *builder
	files [fileCount][]byte // with all three envelopes
}

func newCrashed(t *testing.T) *crashed { return crashedBehind(t, 2) }

// crashedBehind leaves a ledger of which so many envelopes were synced.
func crashedBehind(t *testing.T, synced int) *crashed {
	c := &crashed{dir: t.TempDir(), b: newBuilder(t)}
	l := open(t, c.dir)
	all := []Batch{c.b.next(1, 254, 4), c.b.next(2, 1, 24), c.b.next(1, 3, 40)} // the last completes a hash of height 8
	appendAll(t, l, all[:synced])
	if _, err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, all[synced:])
	l.Close()
	for f := range fileCount {
		content, err := os.ReadFile(filepath.Join(c.dir, f.name()))
		if err != nil {
			t.Fatal(err)
		}
		c.files[f] = content
	}
	return c
}

// set gives file f the first n bytes of what it had.
func (c *crashed) set(t *testing.T, f fileID, n uint64) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, f.name()), c.files[f][:n], 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantEnvelopes opens the ledger and checks how many envelopes it found.
func (c *crashed) wantEnvelopes(t *testing.T, want int) {
	t.Helper()
	l, err := Open(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := l.Lengths(); got != c.b.lengths[want] {
		t.Fatalf("got %d envelopes of %d entries, want %d", got.Envelopes, got.TreeSize, want)
	}
}

func TestALedgerCutAtAnyByteOpensWithWholeEnvelopes(t *testing.T) {
	c := newCrashed(t)
	synced, all := c.b.lengths[2], c.b.lengths[3]
	for f := range fileCount {
		step := uint64(1)
		if f == fileEnvelopes {
			step = 13 // 3.4 KB of signatures look alike
		}
		for n := synced.bytes(f); n < all.bytes(f); n += step {
			for g := range fileCount {
				c.set(t, g, all.bytes(g))
			}
			c.set(t, f, n)
			c.wantEnvelopes(t, 2)
		}
	}
}

func TestAnAppendKilledAtAnyWriteOpensWithWholeEnvelopes(t *testing.T) {
	c := newCrashed(t)
	before, after := c.b.lengths[2], c.b.lengths[3]
	chunks := chunks(before, c.b.batches[2:3], new(room))
	for killed := range chunks {
		for _, written := range []int{0, 1, len(chunks[killed].bytes) - 1} {
			for g := range fileCount {
				c.set(t, g, before.bytes(g))
			}
			for _, done := range chunks[:killed] {
				c.set(t, done.file, after.bytes(done.file))
			}
			c.set(t, chunks[killed].file, before.bytes(chunks[killed].file)+uint64(written))
			c.wantEnvelopes(t, 2)
		}
	}
	for g := range fileCount {
		c.set(t, g, after.bytes(g))
	}
	c.wantEnvelopes(t, 3)
	l := open(t, c.dir)
	appendAll(t, l, []Batch{c.b.next(2, 5, 8)})
	wantHolds(t, l, c.b, 4)
}

// TestAGroupKilledAtAnyWriteOpensWithWholeEnvelopes cuts the last write, which
// makes the envelopes count, at every byte.
func TestAGroupKilledAtAnyWriteOpensWithWholeEnvelopes(t *testing.T) {
	c := crashedBehind(t, 1)
	first, last := c.b.lengths[1], c.b.lengths[3]
	group := chunks(first, c.b.batches[1:3], new(room))
	for killed, k := range group {
		for written := range uint64(len(k.bytes)) {
			if k.file != fileIndex && written > 1 {
				break
			}
			for g := range fileCount {
				c.set(t, g, first.bytes(g))
			}
			for _, done := range group[:killed] {
				c.set(t, done.file, last.bytes(done.file))
			}
			c.set(t, k.file, first.bytes(k.file)+written)
			whole := 1
			if k.file == fileIndex {
				whole += int(written / indexRecordBytes)
			}
			c.wantEnvelopes(t, whole)
		}
	}
}

func TestStrayBytesBehindTheLastEnvelopeAreCut(t *testing.T) {
	c := newCrashed(t)
	for f := range fileCount {
		path := filepath.Join(c.dir, f.name())
		if err := os.WriteFile(path, append(c.files[f][:len(c.files[f]):len(c.files[f])], make([]byte, 200)...), 0o600); err != nil {
			t.Fatal(err)
		}
		c.wantEnvelopes(t, 3)
		if info, err := os.Stat(path); err != nil || info.Size() != int64(len(c.files[f])) {
			t.Errorf("%s: %d bytes, want %d", f.name(), info.Size(), len(c.files[f]))
		}
	}
}

func TestLosingWhatWasFsyncedIsDamageAndReadsAsZeros(t *testing.T) {
	for _, f := range []fileID{fileLeaves, fileHashes0, fileEnvelopes, fileIndex, fileBodies, fileBodyIndex, fileSalts} {
		t.Run(f.name(), func(t *testing.T) {
			c := newCrashed(t)
			c.set(t, f, c.b.lengths[2].bytes(f)-1)
			if _, err := OpenReadOnly(c.dir); !errors.Is(err, ErrDamaged) {
				t.Errorf("read-only: got %v, want ErrDamaged", err)
			}
			l := open(t, c.dir)
			if err := l.Suspect(); !errors.Is(err, ErrDamaged) {
				t.Errorf("suspect: got %v, want ErrDamaged", err)
			}
			if got := l.Lengths(); got != c.b.lengths[2] {
				t.Errorf("lengths %+v, want those of the last Sync", got)
			}
			content, err := os.ReadFile(filepath.Join(c.dir, f.name()))
			if last := c.b.lengths[2].bytes(f) - 1; err != nil || uint64(len(content)) != last+1 || content[last] != 0 {
				t.Errorf("%d bytes, %v, want %d with a zero at the end", len(content), err, last+1)
			}
		})
	}
}

func TestSmallFactsAreKeptTwiceAndMended(t *testing.T) {
	c := newCrashed(t)
	for _, name := range []string{syncedFile, formatFile} {
		for _, hit := range []string{name, name + copySuffix} {
			path := filepath.Join(c.dir, hit)
			good, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for i := range good {
				bad := append([]byte(nil), good...)
				bad[i] ^= 0x10
				for _, content := range [][]byte{bad, good[:i], nil} {
					if err := os.WriteFile(path, content, 0o600); err != nil {
						t.Fatal(err)
					}
					l, err := Open(c.dir)
					if err != nil || l.Suspect() != nil || l.SyncedLengths() != c.b.lengths[2] {
						t.Fatalf("%s, byte %d: %v", hit, i, err)
					}
					l.Close()
					if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, good) {
						t.Fatalf("%s, byte %d: not mended: %q, %v", hit, i, got, err)
					}
				}
			}
		}
	}
}

func TestASyncedMarkThatIsLostTwiceIsSuspect(t *testing.T) {
	c := newCrashed(t)
	path := filepath.Join(c.dir, syncedFile)
	if err := os.WriteFile(path+copySuffix, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(c.dir)
		if err != nil || !errors.Is(l.Suspect(), ErrDamaged) || l.Lengths() != c.b.lengths[3] {
			t.Fatalf("byte %d flipped: got %+v, %v, want it suspected", i, l.Lengths(), err)
		}
		l.Close()
	}
}

// Flipped bytes in the offset files must end in an error or in other bytes,
// never in a panic or a huge read.
func TestFlippedOffsetsNeverLeadOutOfTheFiles(t *testing.T) {
	c := newCrashed(t)
	size := c.b.lengths[3].TreeSize
	for _, f := range []fileID{fileIndex, fileBodyIndex, fileEnvelopes, fileLeaves} {
		for i := range min(400, len(c.files[f])) {
			bad := append([]byte(nil), c.files[f]...)
			bad[i] ^= 0x81
			if err := os.WriteFile(filepath.Join(c.dir, f.name()), bad, 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := OpenReadOnly(c.dir)
			if err != nil {
				if !errors.Is(err, ErrDamaged) {
					t.Fatalf("%s byte %d: %v", f.name(), i, err)
				}
				continue
			}
			for n := range l.Lengths().Envelopes {
				if rec, bodies, err := l.WholeEnvelope(n); err == nil && len(bodies) != int(rec.Count) {
					t.Errorf("%s byte %d: %d bodies of %d", f.name(), i, len(bodies), rec.Count)
				}
			}
			for _, index := range []uint64{0, 17, size - 1} {
				if n, err := l.EnvelopeAt(index); err == nil && n > 2 {
					t.Errorf("%s byte %d: entry %d in envelope %d", f.name(), i, index, n)
				}
			}
			l.Close()
		}
		c.set(t, f, uint64(len(c.files[f])))
	}
}

func TestReadersBesideAnAppenderSeeWholeEnvelopesOnly(t *testing.T) {
	b := newBuilder(t)
	for i := range 60 {
		b.next(uint32(i%3)+1, 1+i%9, 40)
	}
	l := open(t, t.TempDir())
	appendAll(t, l, b.batches[:1])
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for {
				at := l.Lengths()
				rec, bodies, err := l.WholeEnvelope(at.Envelopes - 1)
				if err != nil || string(rec.Header) != string(b.batches[at.Envelopes-1].Header) || len(bodies) != int(rec.Count) {
					t.Errorf("envelope %d: %v", at.Envelopes-1, err)
					return
				}
				if _, err := tlog.RootAt(l, at.TreeSize); err != nil {
					t.Errorf("root at %d: %v", at.TreeSize, err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	appendAll(t, l, b.batches[1:])
	if _, err := l.Sync(); err != nil {
		t.Error(err)
	}
	close(done)
	readers.Wait()
	wantHolds(t, l, b, 60)
}

func TestFactsSurviveAndFlippedBytesAreSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gap")
	if _, err := ReadFileDurable(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a fact never written: got %v", err)
	}
	for _, want := range []string{"", "from 7 to 9", "closed"} {
		if err := WriteFileDurable(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadFileDurable(path); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, bad := range [][]byte{append([]byte(nil), good...), good[:i]} {
			if len(bad) == len(good) {
				bad[i] ^= 1
			}
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadFileDurable(path); !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d: got %v, want ErrDamaged", i, err)
			}
		}
	}
	if err := WriteFileDurable(filepath.Join(path, "below a file"), nil); !errors.Is(err, ErrStorage) {
		t.Errorf("an impossible path: got %v, want ErrStorage", err)
	}
}

func TestTheFilesOfOneEnvelopeAreTheseBytes(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	leaf := make([]byte, LeafBytes)
	leaf[0], leaf[89] = 1, 0xee
	batch := Batch{Header: []byte("header"), MLDSA: make([]byte, mldsaBytes), LogTimeMS: 0x0102030405060708,
		ID: [32]byte{0: 0xaa, 31: 0xbb}, Hospital: 7, Sequence: 1, Attempt: 1, PrevOfHospital: None,
		Leaves: [][]byte{leaf},
		Bodies: []Body{{Salt: [32]byte{0xcc}, Tag: [16]byte{0xdd}, Ciphertext: []byte("sealed")}},
		Hashes: [4][]tlog.Hash{{tlog.LeafHash(leaf)}},
	}
	if err := l.Append(batch); err != nil {
		t.Fatal(err)
	}
	zeros := func(n int) string { return string(make([]byte, n)) }
	hash := tlog.LeafHash(leaf)
	for f, want := range map[fileID]string{
		fileLeaves:    "\x00\x5a\x01" + zeros(88) + "\xee",
		fileHashes0:   string(hash[:]),
		fileHashes8:   "",
		fileHashes16:  "",
		fileHashes24:  "",
		fileEnvelopes: "\x00\x00\x00\x06header" + zeros(64+3309) + "\x01\x02\x03\x04\x05\x06\x07\x08" + "\x42\x7d\xb1\x35",
		fileIndex: "\x00\x00\x00\x00\x00\x00\x0d\x43" + zeros(8) + "\x00\x00\x00\x01" + "\x00\x00\x00\x07" +
			zeros(7) + "\x01" + "\x00\x00\x00\x01" + "\xff\xff\xff\xff\xff\xff\xff\xff" + "\xaa" + zeros(30) + "\xbb" + "\x64\xcb\xbd\x77",
		fileBodies:    "\xdd" + zeros(15) + "sealed",
		fileBodyIndex: zeros(7) + "\x16",
		fileSalts:     "\xcc" + zeros(31),
	} {
		file, err := os.Open(filepath.Join(dir, f.name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(file)
		file.Close()
		if err != nil || string(got) != want {
			t.Errorf("%s: got %x, want %x", f.name(), got, want)
		}
	}
	if got := l.Lengths().EnvelopesBytes; got != uint64(binary.BigEndian.Uint16([]byte{0x0d, 0x43})) {
		t.Errorf("envelopes: %d bytes", got)
	}
}
