package staticcopy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	owntlog "github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// stockReader reads tiles from a folder as the go command reads those of its
// checksum database: an implementation of its own.
type stockReader struct{ dir string }

func (stockReader) Height() int { return 8 }

func (r stockReader) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		path := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
		raw, err := os.ReadFile(filepath.Join(r.dir, path))
		if err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	return out, nil
}

func (stockReader) SaveTiles([]tlog.Tile, [][]byte) {}

// checkWithStock verifies a copy of so many entries with code that is not ours:
// every leaf is in the tree, and an older tree is a prefix.
func checkWithStock(t *testing.T, dir string, size, older uint64) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := bytes.Cut(raw, []byte("\n\n"))
	lines := strings.Split(string(text), "\n")
	root, err := tlog.ParseHash(lines[2])
	if err != nil || lines[1] != fmt.Sprint(size) {
		t.Fatalf("checkpoint of %s entries, %v; want %d", lines[1], err, size)
	}
	r := tlog.TileHashReader(tlog.Tree{N: int64(size), Hash: root}, stockReader{dir})
	for n := uint64(0); n*256 < size; n++ {
		width := int(min(256, size-n*256))
		bundle, err := os.ReadFile(filepath.Join(dir, owntlog.Tile{Entries: true, Index: n, Width: width}.Path()))
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := owntlog.ParseBundle(bundle, width)
		if err != nil {
			t.Fatal(err)
		}
		for i, leaf := range leaves {
			index := int64(n*256) + int64(i)
			proof, err := tlog.ProveRecord(int64(size), index, r)
			if err == nil {
				err = tlog.CheckRecord(proof, int64(size), root, index, tlog.RecordHash(leaf))
			}
			if err != nil {
				t.Fatalf("leaf %d: %v", index, err)
			}
		}
	}
	if older == 0 {
		return
	}
	before, err := tlog.TreeHash(int64(older), r)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := tlog.ProveTree(int64(size), int64(older), r)
	if err == nil {
		err = tlog.CheckTree(proof, int64(size), root, int64(older), before)
	}
	if err != nil {
		t.Errorf("the tree of %d is no prefix: %v", older, err)
	}
}

func TestAStockClientReadsEveryLeafOfACopyThatGrew(t *testing.T) {
	w := newWorld(t, 2, 250)
	dir := t.TempDir()
	first := w.export(dir, w.options(false))
	if first.Size != 253 || first.Before != 0 || first.Envelopes != 3 {
		t.Errorf("first run: %+v", first)
	}
	checkWithStock(t, dir, 253, 0)
	if _, err := os.Stat(filepath.Join(dir, "tile/0/000.p/253")); err != nil {
		t.Error(err)
	}
	w.add(1, 400, 3)
	second := w.export(dir, w.options(false))
	checkWithStock(t, dir, 657, 253)
	if second.Before != 253 || second.Size != 657 {
		t.Errorf("second run: %+v", second)
	}
	if _, err := os.Stat(filepath.Join(dir, "tile/0/000.p")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the partial tile that is full now: %v", err)
	}
	if third := w.export(dir, w.options(false)); third.Files != 0 {
		t.Errorf("a run without news wrote %d files", third.Files)
	}
	fresh := t.TempDir()
	w.export(fresh, w.options(false))
	if got, want := files(t, dir), files(t, fresh); !maps.Equal(got, want) {
		t.Errorf("a copy that grew has the files %v, one made at once %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func TestACopyOfAnEarlierEpochGoesOnUnlessTheLogWasCut(t *testing.T) {
	w := newWorld(t, 2, 3)
	earlier := func(size uint64, root owntlog.Hash) Options {
		o := w.options(false)
		o.Note = w.noteOf(owntlog.Checkpoint{Origin: "test.example/network/0", Size: size, Root: root}, 2)
		return o
	}
	view, dir := w.m.View(), t.TempDir()
	w.export(dir, earlier(view.Tree.Size(), view.Tree.Root()))
	w.add(1)
	if r := w.export(dir, w.options(false)); r.Before != 6 || r.Size != 7 {
		t.Errorf("it went on from %d to %d, want 6 to 7", r.Before, r.Size)
	}
	o := w.options(false)
	if err := os.WriteFile(filepath.Join(dir, checkpointFile), earlier(7, owntlog.Hash{1}).Note, 0o600); err != nil { // what was cut off
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), dir, o); !errors.Is(err, ErrOther) {
		t.Errorf("over a copy of what was cut off: %v, want ErrOther", err)
	}
}

func TestNoSaltAndNothingErasedIsEverInACopy(t *testing.T) {
	w := newWorld(t, 5, 3)
	dir, bare := t.TempDir(), t.TempDir()
	w.export(dir, w.options(true))
	w.export(bare, w.options(false))
	holds := func(dir string, part func(ledger.Body) []byte) (indexes []uint64) {
		all := files(t, dir)
		for index := uint64(1); index < 9; index++ {
			b, err := w.m.Ledger().Body(index)
			if err != nil {
				t.Fatal(err)
			}
			for _, content := range all {
				if strings.Contains(content, string(part(b))) {
					indexes = append(indexes, index)
				}
			}
		}
		return indexes
	}
	salt := func(b ledger.Body) []byte { return b.Salt[:] }
	body := func(b ledger.Body) []byte { return b.Ciphertext[:64] }
	if got := append(holds(dir, salt), holds(bare, salt)...); len(got) > 0 {
		t.Errorf("salts of the entries %v", got)
	}
	if got := holds(bare, body); len(got) > 0 {
		t.Errorf("a copy without bodies has those of %v", got)
	}
	if got := holds(dir, body); !slices.Equal(got, []uint64{1, 2, 3, 4, 5, 6, 7, 8}) {
		t.Errorf("a copy with bodies has those of %v", got)
	}
	w.withdraw(w.net.Hospitals[0], act.Span{First: 2, Count: 2}, act.Span{First: 7, Count: 1}) // 7 is another's: that says nothing
	r := w.export(dir, w.options(true))
	if got := holds(dir, body); !slices.Equal(got, []uint64{1, 4, 5, 6, 7, 8}) || r.ErasedFiles != 1 {
		t.Errorf("after the withdrawal of 2 and 3 there are bodies of %v; %d files were erased", got, r.ErasedFiles)
	}
	w.erase(ledger.Span{First: 2, Count: 2})
	w.add(1)
	if r := w.export(dir, w.options(true)); r.ErasedFiles != 0 {
		t.Errorf("erased %d files again", r.ErasedFiles)
	}
	fresh := t.TempDir()
	w.export(fresh, w.options(true))
	got, want := files(t, dir), files(t, fresh)
	maps.DeleteFunc(got, func(path, _ string) bool { // partial tiles of older checkpoints stay until the tile is full
		return want[path] == "" && strings.Contains(path, ".p/")
	})
	if !maps.Equal(got, want) {
		t.Error("a copy in which was erased differs from one made later")
	}
}

// What is erased while a run reads is no damage.
func TestAnEntryThatIsErasedMeanwhile(t *testing.T) {
	w := newWorld(t, 5)
	o := w.options(true)
	w.withdraw(w.net.Hospitals[0], act.Span{First: 2, Count: 2})
	asked := 0
	o.Claims = func(context.Context) ([]state.Claim, error) {
		if asked++; asked == 1 {
			w.erase(ledger.Span{First: 2, Count: 2})
			return nil, nil
		}
		return w.m.View().Claims, nil
	}
	if r := w.export(t.TempDir(), o); r.Size != 6 {
		t.Errorf("the copy has %d entries, want 6", r.Size)
	}
}

var errKilled = errors.New("killed")

func TestARunKilledAtAnyStepIsEndedByTheNext(t *testing.T) {
	w := newWorld(t, 5, 250)
	base := t.TempDir()
	w.export(base, w.options(true))
	before := w.note(2)
	w.withdraw(w.net.Hospitals[0], act.Span{First: 2, Count: 2})
	w.add(3, 2)
	want := t.TempDir()
	w.export(want, w.options(true))
	wanted := files(t, want)
	for at := 1; ; at++ {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
			t.Fatal(err)
		}
		o, steps := w.options(true), 0
		o.workers = 1
		o.step = func(string, string) error {
			if steps++; steps >= at {
				return errKilled
			}
			return nil
		}
		_, err := Write(t.Context(), dir, o)
		if err == nil {
			if at < 20 {
				t.Errorf("a run has only %d steps", steps)
			}
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		note, err := os.ReadFile(filepath.Join(dir, checkpointFile))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(note, before) {
			checkWithStock(t, dir, 256, 0)
		}
		w.export(dir, w.options(true))
		got := files(t, dir)
		maps.DeleteFunc(got, func(path, _ string) bool { // what was not whole lies in nobody's way
			return strings.HasSuffix(path, temporary)
		})
		if !maps.Equal(got, wanted) {
			t.Fatalf("killed at step %d: the next run left other files", at)
		}
	}
}

func TestWhatIsNoCopyOfThisLogStaysAsItIs(t *testing.T) {
	w, other := newWorld(t, 2, 3), newWorld(t, 4)
	foreign := t.TempDir()
	other.export(foreign, other.options(false)) // the same network, another log
	ahead := t.TempDir()
	old := w.options(false)
	w.add(1)
	w.export(ahead, w.options(false))
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.doc"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	network := t.TempDir()
	elsewhere := w.options(false)
	elsewhere.Network[0] ^= 1
	w.export(network, elsewhere)
	for name, tc := range map[string]struct {
		dir  string
		o    Options
		want error
		says string
	}{
		"a folder with something else":      {full, w.options(false), ErrOther, "thesis.doc"},
		"another log of the same size":      {foreign, w.options(false), ErrOther, "its root at 5 entries is another"},
		"a copy that is ahead":              {ahead, old, ErrOther, "it goes up to 7 entries, the node's checkpoint to 6"},
		"a copy of another network":         {network, w.options(false), ErrOther, "it is of network"},
		"a copy without bodies, with them":  {ahead, w.options(true), ErrBodies, "bodies: false"},
		"a checkpoint that is not the root": {t.TempDir(), w.otherRoot(), ledger.ErrDamaged, "is not the checkpoint's"},
	} {
		was := files(t, tc.dir)
		delete(was, "LOCK")
		_, err := Write(t.Context(), tc.dir, tc.o)
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %v that says %q", name, err, tc.want, tc.says)
		}
		is := files(t, tc.dir)
		delete(is, "LOCK")
		if !maps.Equal(was, is) {
			t.Errorf("%s: the folder was changed", name)
		}
	}
}

func (w *world) otherRoot() Options {
	o := w.options(false)
	sc, err := owntlog.ParseSignedCheckpoint(o.Note)
	if err != nil {
		w.t.Fatal(err)
	}
	sc.Root[0] ^= 1
	o.Note = sc.Marshal()
	return o
}

func TestADamagedLedgerIsNotCopied(t *testing.T) {
	w := newWorld(t, 300, 300)
	if _, err := w.m.Ledger().Sync(); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		file string
		at   int64
	}{
		"a leaf":             {"leaves", 92*290 + 50},
		"the hash of a tile": {"hashes.8", 40},
		"the hash of a leaf": {"hashes.0", 32 * 270},
		"a header":           {"envelopes", 20_000},
		"a body":             {"bodies", 100},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(w.at, "ledger"))); err != nil {
			t.Fatal(err)
		}
		flip(t, filepath.Join(dir, tc.file), tc.at)
		l, err := ledger.OpenReadOnly(dir)
		if err != nil {
			t.Fatal(err)
		}
		o := w.options(true)
		o.Ledger = l
		out := t.TempDir()
		if _, err := Write(t.Context(), out, o); !errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if _, err := os.Stat(filepath.Join(out, checkpointFile)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: there is a checkpoint", name)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func flip(t *testing.T, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func TestTwoRunsAtOnceAreOne(t *testing.T) {
	w := newWorld(t, 2)
	dir := t.TempDir()
	o := w.options(false)
	var inner error
	o.Claims = func(ctx context.Context) ([]state.Claim, error) {
		_, inner = Write(ctx, dir, w.options(false))
		return nil, nil
	}
	w.export(dir, o)
	if !errors.Is(inner, ErrBusy) {
		t.Errorf("a second run: %v, want ErrBusy", inner)
	}
}
