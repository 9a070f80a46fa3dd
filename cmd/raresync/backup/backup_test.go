package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/offline"
)

func TestABackupHoldsTheLogUpToItsCheckpointAndVerifies(t *testing.T) {
	w := newWorld(t, 2, 300, 1)
	o := w.options()
	view := w.machine.View()
	w.add(1, 40) // beyond the checkpoint
	path := filepath.Join(t.TempDir(), "b.tar")
	var total, copied, checked int
	o.Copying = func(n uint64) func(int) { total = int(n); return func(n int) { copied += n } }
	o.Verifying = func(uint64) func() { return func() { checked++ } }
	saved, err := backup.Save(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, filepath.Dir(path), "b.tar")
	policy, err := consensus.PolicyOf(view)
	if err != nil {
		t.Fatal(err)
	}
	got, err := verify(path, backup.VerifyOptions{Policy: policy, Now: time.Unix(1_790_000_300, 0)})
	if err != nil {
		t.Fatal(err)
	}
	state := sha256.Sum256(view.AppendCBOR(nil))
	root := view.Tree.Root()
	if got.Entries != 305 || got.Envelopes != 5 || got.Root != hex.EncodeToString(root[:]) ||
		got.StateSHA256 != hex.EncodeToString(state[:]) || got.NetworkID != hex.EncodeToString(w.net.ID[:]) ||
		got.Salts != "none" || got.Node != "h1" || got.Made != "2026-09-21T14:16:40Z" || len(got.Cosigners) != 2 || !got.OwnPolicy {
		t.Errorf("verified %+v", got)
	}
	if saved.Manifest != got.Manifest || saved.Bytes != got.Bytes || copied != total || copied < 200_000 || checked != 5 {
		t.Errorf("saved %+v, %d of %d bytes copied, %d envelopes verified", saved, copied, total, checked)
	}
}

func TestABackupIsATarThatSHA256SUMSFits(t *testing.T) {
	w := newWorld(t, 3)
	_, salts := sealedTo(t)
	raw, err := os.ReadFile(w.saved(salts))
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	var names []string
	for r := tar.NewReader(bytes.NewReader(raw)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if names = append(names, h.Name); h.Name == "SHA256SUMS" {
			if string(part) != lines.String() {
				t.Errorf("SHA256SUMS is\n%s\nwant\n%s", part, lines.String())
			}
			continue
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(part), h.Name)
	}
	want := "genesis.pem checkpoint ledger/leaves ledger/hashes.0 ledger/hashes.8 ledger/hashes.16 ledger/hashes.24 " +
		"ledger/envelopes ledger/envelopes.idx ledger/bodies ledger/bodies.idx salts.age manifest.json SHA256SUMS"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("parts are %s, want %s", got, want)
	}
}

func TestSaltsAreInABackupOnlySealed(t *testing.T) {
	w := newWorld(t, 3, 5)
	key, salts := sealedTo(t)
	bare, sealed := w.saved(nil), w.saved(salts)
	body, err := w.machine.Ledger().Body(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bare, sealed} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, body.Salt[:]) || !bytes.Contains(raw, body.Ciphertext) {
			t.Errorf("%s shows a salt, or lacks a body", path)
		}
	}
	other, _ := sealedTo(t)
	for name, tc := range map[string]struct {
		path string
		key  *offline.Key
		want error
		says string
	}{
		"without salts":                 {bare, nil, nil, "none"},
		"without salts, and a key":      {bare, &key, backup.ErrNoSalts, ""},
		"with salts, and no key":        {sealed, nil, nil, "sealed"},
		"with salts, and the key":       {sealed, &key, nil, "verified"},
		"with salts, and another's key": {sealed, &other, offline.ErrWrongKey, ""},
	} {
		r, err := verify(tc.path, backup.VerifyOptions{Key: tc.key, Now: time.Unix(1_790_000_300, 0)})
		if !errors.Is(err, tc.want) || err == nil && (r.Salts != tc.says || r.Expired) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	r, err := verify(sealed, backup.VerifyOptions{Now: time.Unix(1_790_000_300, 0).AddDate(0, 0, 91)})
	if err != nil || !r.Expired || r.SaltsExpire != "2026-12-20T14:16:40Z" {
		t.Errorf("after its expiry: %+v, %v", r, err)
	}
}

func TestABackupThatFailsLeavesNothing(t *testing.T) {
	w := newWorld(t, 2)
	good := w.options()
	w.add(0, 1)
	beyond := w.note()
	other := newWorld(t, 2)
	for name, tc := range map[string]struct {
		ctx    context.Context
		change func(*backup.SaveOptions)
		want   error
		told   bool // of the salts: what is wrong shows only in the copy
	}{
		"a signal":                         {ended(), func(*backup.SaveOptions) {}, context.Canceled, true},
		"another network's checkpoint":     {t.Context(), func(o *backup.SaveOptions) { o.Note = other.note() }, audit.ErrUnverified, true},
		"another genesis":                  {t.Context(), func(o *backup.SaveOptions) { o.Genesis = other.net.Genesis }, audit.ErrUnverified, true},
		"a folder without a ledger":        {t.Context(), func(o *backup.SaveOptions) { o.Ledger = t.TempDir() }, ledger.ErrFormat, false},
		"a checkpoint the copy lies below": {t.Context(), func(o *backup.SaveOptions) { o.Note = beyond; o.Ledger = w.shorter() }, ledger.ErrOutOfRange, false},
		"a ledger without its salts":       {t.Context(), func(o *backup.SaveOptions) { o.Ledger = w.without("salts") }, ledger.ErrDamaged, false},
		"a copy with a flipped byte":       {t.Context(), func(o *backup.SaveOptions) { o.Ledger = w.flipped("bodies") }, audit.ErrUnverified, true},
		"a copy with a flipped salt":       {t.Context(), func(o *backup.SaveOptions) { o.Ledger = w.flipped("salts") }, audit.ErrUnverified, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			_, o.Salts = sealedTo(t)
			told := false
			o.Salts.Declare = func() error { told = true; return nil }
			tc.change(&o)
			dir := t.TempDir()
			if _, err := backup.Save(tc.ctx, filepath.Join(dir, "b.tar"), o); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			wantFiles(t, dir)
			if told != tc.told {
				t.Errorf("the network was told: %t, want %t", told, tc.told)
			}
		})
	}
	path := w.saved(nil)
	before := readFile(t, path)
	_, good.Salts = sealedTo(t)
	good.Salts.Declare = func() error { return errors.New("the network was told") }
	if _, err := backup.Save(t.Context(), path, good); !errors.Is(err, fs.ErrExist) || !bytes.Equal(readFile(t, path), before) {
		t.Errorf("over another backup: %v", err)
	}
}

func TestNoSaltIsWrittenBeforeTheNetworkWasTold(t *testing.T) {
	w := newWorld(t, 2)
	dir := t.TempDir()
	o := w.options()
	untold := errors.New("no majority")
	_, o.Salts = sealedTo(t)
	o.Salts.Declare = func() error {
		if got := readFile(t, filepath.Join(dir, "b.tar.part")); len(got) > 0 {
			t.Errorf("%d bytes are there already", len(got))
		}
		return untold
	}
	if _, err := backup.Save(t.Context(), filepath.Join(dir, "b.tar"), o); !errors.Is(err, untold) {
		t.Errorf("got %v, want %v", err, untold)
	}
	wantFiles(t, dir)
}

// shorter returns a copy of the ledger folder before the last envelope.
func (w *world) shorter() string {
	w.t.Helper()
	dir := w.copied()
	l, err := ledger.Open(dir)
	if err != nil {
		w.t.Fatal(err)
	}
	defer l.Close()
	at, err := l.LengthsAt(l.Lengths().Envelopes - 1)
	if err == nil {
		err = l.Truncate(at)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// flipped returns a copy of the ledger folder with a byte changed.
func (w *world) flipped(file string) string {
	w.t.Helper()
	dir := w.copied()
	path := filepath.Join(dir, file)
	raw := readFile(w.t, path)
	at, err := w.machine.Ledger().LengthsAt(1)
	if err != nil {
		w.t.Fatal(err)
	}
	from := map[string]uint64{"bodies": at.BodiesBytes, "salts": at.SaltsBytes}[file]
	raw[from+20] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// without returns a copy of the ledger folder that lacks a file.
func (w *world) without(file string) string {
	w.t.Helper()
	dir := w.copied()
	if err := os.Remove(filepath.Join(dir, file)); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

func (w *world) copied() string {
	w.t.Helper()
	dir := w.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(w.dir, "ledger"))); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

func TestTwoDoNotWriteOneFile(t *testing.T) {
	w := newWorld(t, 2)
	path := filepath.Join(t.TempDir(), "b.tar")
	first := w.options()
	first.Verifying = func(uint64) func() {
		if _, err := backup.Save(t.Context(), path, w.options()); err == nil || !strings.Contains(err.Error(), "is being written already") {
			t.Errorf("the second says %v", err)
		}
		return func() {}
	}
	if _, err := backup.Save(t.Context(), path, first); err != nil {
		t.Errorf("the first says %v", err)
	}
	wantFiles(t, filepath.Dir(path), "b.tar")
}

func TestTheNodeGoesOnWhileItIsSaved(t *testing.T) {
	w := newWorld(t, 5)
	o := w.options()
	stop := make(chan struct{})
	var node sync.WaitGroup
	node.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				w.add(i%3, 2)
			}
		}
	})
	for i := range 5 {
		if _, err := backup.Save(t.Context(), filepath.Join(t.TempDir(), "b.tar"), o); err != nil {
			t.Errorf("backup %d: %v", i, err)
		}
	}
	close(stop)
	node.Wait()
}
