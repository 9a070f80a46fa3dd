package staticcopy

import (
	"bytes"
	"context"
	"fmt"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// tiles writes the tiles and bundles that the copy lacks, and takes away the
// partial ones that are full now.
func (w *writer) tiles(ctx context.Context) error {
	for level := range uint(len(tlog.StoredHeights())) {
		first := w.before.TreeSize >> (8 * level) / tlog.TileWidth
		for index := first; ; index++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			tile, ok := tlog.TileAt(level, index, w.sc.Size)
			if !ok {
				break
			}
			if err := w.tile(tile); err != nil {
				return fmt.Errorf("%s: %w", tile.Path(), err)
			}
		}
	}
	return nil
}

func (w *writer) tile(t tlog.Tile) error {
	raw, err := w.Ledger.HashTile(t.Level, t.Index, t.Width)
	if err != nil {
		return err
	}
	if t.Level == 0 {
		bundle, err := w.bundle(t, raw)
		if err != nil {
			return err
		}
		entries := t
		entries.Entries = true
		if err := w.putTile(entries, bundle); err != nil {
			return err
		}
	} else if err := w.checkTile(t, raw); err != nil {
		return err
	}
	return w.putTile(t, raw)
}

// putTile writes a tile. A full one is there before its partial ones go: whoever
// holds an older checkpoint asks for the full one then.
func (w *writer) putTile(t tlog.Tile, raw []byte) error {
	if err := w.put(t.Path(), raw); err != nil || t.Width != tlog.TileWidth {
		return err
	}
	return w.remove(t.Path() + ".p")
}

// bundle returns the leaves of a tile, whose hashes are in it.
func (w *writer) bundle(t tlog.Tile, hashes []byte) ([]byte, error) {
	bundle, err := w.Ledger.EntryBundle(t.Index, t.Width)
	if err != nil {
		return nil, err
	}
	leaves, err := tlog.ParseBundle(bundle, t.Width)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	for i, leaf := range leaves {
		h := tlog.LeafHash(leaf)
		if !bytes.Equal(h[:], hashes[i*len(h):][:len(h)]) {
			return nil, fmt.Errorf("%w: hash of leaf %d", ledger.ErrDamaged, t.Index*tlog.TileWidth+uint64(i))
		}
	}
	return bundle, nil
}

// checkTile wants each hash of a tile to be that of a tile below.
func (w *writer) checkTile(t tlog.Tile, raw []byte) error {
	var below [tlog.TileWidth]tlog.Hash
	for i := range t.Width {
		n := t.Index*tlog.TileWidth + uint64(i)
		if err := w.Ledger.ReadHashes(8*(t.Level-1), n*tlog.TileWidth, below[:]); err != nil {
			return err
		}
		if h := tlog.Join(below[:]); !bytes.Equal(h[:], raw[i*len(h):][:len(h)]) {
			return fmt.Errorf("%w: hash %d", ledger.ErrDamaged, n)
		}
	}
	return nil
}
