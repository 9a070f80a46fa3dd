package backup_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/daemon/home"
)

func TestARestoredFolderIsThatOfTheNode(t *testing.T) {
	w := newWorld(t, 2, 300, 1)
	key, salts := sealedTo(t)
	path := w.saved(salts)
	folder, err := w.restore(path, w.net.Reader.Node, &key)
	if err != nil {
		t.Fatal(err)
	}
	wantFiles(t, filepath.Dir(folder), "node")
	for _, p := range w.machine.Ledger().Lengths().Parts() {
		if !bytes.Equal(readFile(t, filepath.Join(folder, "ledger", p.Name)), readFile(t, filepath.Join(w.dir, "ledger", p.Name))) {
			t.Errorf("%s differs", p.Name)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "saltless")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("salts are said to be missing: %v", err)
	}
	m, err := machine.Open(folder, w.net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !bytes.Equal(m.View().AppendCBOR(nil), w.machine.View().AppendCBOR(nil)) {
		t.Error("the state is another")
	}
}

func TestAFolderRestoredWithoutSaltsSaysSo(t *testing.T) {
	w := newWorld(t, 2, 3)
	_, salts := sealedTo(t)
	for name, path := range map[string]string{"made without": w.saved(nil), "sealed and not opened": w.saved(salts)} {
		folder, err := w.restore(path, w.net.Reader.Node, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantFiles(t, folder, "checkpoint", "ledger", "restored", "saltless", "state", "state.copy")
		if got := readFile(t, filepath.Join(folder, "ledger", "salts")); !bytes.Equal(got, make([]byte, 32*w.machine.View().Tree.Size())) {
			t.Errorf("%s: there are salts, or not as many zeros", name)
		}
	}
}

func TestWhereARestoreIsRefusedNothingIsLeft(t *testing.T) {
	w := newWorld(t, 2)
	other := newWorld(t, 2)
	path := w.saved(nil)
	if folder, err := w.restore(path, "h1", nil); !errors.Is(err, backup.ErrVoter) {
		t.Errorf("a voter: %v", err)
	} else {
		wantFiles(t, filepath.Dir(folder))
	}
	nowhere := filepath.Join(t.TempDir(), "node")
	for node, want := range map[string]error{"h1": backup.ErrVoter, w.net.Reader.Node: nil, "h9": nil} {
		if err := backup.Restorable(nowhere, backup.RestoreOptions{Node: node, Genesis: w.net.Genesis}); !errors.Is(err, want) {
			t.Errorf("%s, before there is a backup: %v, want %v", node, err, want)
		}
	}
	if _, err := w.restore(path, "h9", nil); !errors.Is(err, home.ErrOtherGenesis) {
		t.Errorf("a node that the network does not know: %v", err)
	}
	if folder, err := other.restore(path, w.net.Reader.Node, nil); !errors.Is(err, home.ErrOtherGenesis) {
		t.Errorf("another network's node: %v", err)
	} else {
		wantFiles(t, filepath.Dir(folder))
	}
	b, err := backup.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	folder := filepath.Join(t.TempDir(), "node")
	for _, dir := range []string{folder + ".part", folder} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	o := backup.RestoreOptions{Node: w.net.Reader.Node, Genesis: w.net.Genesis}
	if err := backup.Restorable(folder, o); !errors.Is(err, backup.ErrHasLog) {
		t.Errorf("over another folder, before there is a backup: %v", err)
	}
	if _, err := b.Restore(folder, o); !errors.Is(err, backup.ErrHasLog) {
		t.Errorf("over another folder: %v", err)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Restore(folder, o); err != nil {
		t.Errorf("after a restore that was cut short: %v", err)
	}
	wantFiles(t, filepath.Dir(folder), "node")
}
