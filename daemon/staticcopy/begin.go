package staticcopy

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// begin looks at the ledger, and at what is in the folder.
func (w *writer) begin(ctx context.Context) (err error) {
	if w.sc, err = tlog.ParseSignedCheckpoint(w.Note); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if w.at, err = w.Ledger.LengthsAtSize(w.sc.Size); err != nil {
		return fmt.Errorf("the ledger does not reach the checkpoint at %d: %w", w.sc.Size, err)
	}
	root, err := tlog.RootAt(w.Ledger, w.sc.Size)
	if err != nil {
		return err
	}
	if root != w.sc.Root {
		return fmt.Errorf("%w: its root at %d entries is not the checkpoint's", ledger.ErrDamaged, w.sc.Size)
	}
	if err := w.refresh(ctx); err != nil {
		return err
	}
	if err := w.describe(); err != nil {
		return err
	}
	return w.continued()
}

// describe says in the folder what it is, or reads that it is what is to be
// written.
func (w *writer) describe() error {
	mine := Description{Format: Format, Network: hex.EncodeToString(w.Network[:]), Name: w.Name, Bodies: w.Bodies}
	raw, err := os.ReadFile(filepath.Join(w.dir, DescriptionFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := w.put(DescriptionFile, mine.marshal()); err != nil {
			return err
		}
		return w.sync() // before there is anything that needs it
	}
	if err != nil {
		return err
	}
	d, network, err := parseDescription(raw)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOther, err)
	case network != w.Network:
		return fmt.Errorf("%w: it is of network %x, the node of %x", ErrOther, network, w.Network)
	case d.Bodies != w.Bodies:
		return fmt.Errorf("%w: this one was begun with bodies: %t", ErrBodies, d.Bodies)
	}
	return nil
}

// looksLikeCopy wants a folder that says it is a copy, or has nothing in it but what a
// run that was killed at once left.
func looksLikeCopy(dir string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	strange := ""
	for _, e := range list {
		switch e.Name() {
		case DescriptionFile:
			return nil
		case "LOCK", DescriptionFile + temporary:
		default:
			strange = e.Name()
		}
	}
	if strange != "" {
		return fmt.Errorf("%w: there is %s, and no %s", ErrOther, strange, DescriptionFile)
	}
	return nil
}

// continued finds out where the copy stands. Its checkpoint may be of an earlier log
// epoch: the root says whether it is the beginning of this log.
func (w *writer) continued() error {
	raw, err := os.ReadFile(filepath.Join(w.dir, checkpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	sc, err := tlog.ParseSignedCheckpoint(raw)
	if err != nil {
		return fmt.Errorf("%w: its checkpoint: %w", ErrOther, err)
	}
	if sc.Size > w.sc.Size {
		return fmt.Errorf("%w: it goes up to %d entries, the node's checkpoint to %d", ErrOther, sc.Size, w.sc.Size)
	}
	root, err := tlog.RootAt(w.Ledger, sc.Size)
	if err != nil {
		return err
	}
	if root != sc.Root {
		return fmt.Errorf("%w: its root at %d entries is another", ErrOther, sc.Size)
	}
	w.before, err = w.Ledger.LengthsAtSize(sc.Size)
	return err
}
