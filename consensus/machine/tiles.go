package machine

import (
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// Tile returns a tile, or a bundle of leaves, of the tree with the given size and
// root. What others keep for good must be right: a full tile is compared with its hash
// one level up, all else with the root. A disk that gives another one is damaged.
func (m *Machine) Tile(t tlog.Tile, size uint64, root tlog.Hash) ([]byte, error) {
	raw, err := tile(m.ledger, t, size, root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Path(), m.Noticed(err))
	}
	return raw, nil
}

func tile(l *ledger.Ledger, t tlog.Tile, size uint64, root tlog.Hash) ([]byte, error) {
	now, ok := tlog.TileAt(t.Level, t.Index, size)
	if !ok || now.Width < t.Width {
		return nil, fmt.Errorf("in a tree of %d: %w", size, ledger.ErrOutOfRange)
	}
	hashes := make([]tlog.Hash, now.Width)
	if err := l.ReadHashes(8*t.Level, t.Index*tlog.TileWidth, hashes); err != nil {
		return nil, err
	}
	if err := checkTile(l, now, hashes, size, root); err != nil {
		return nil, err
	}
	if t.Entries {
		return bundle(l, t, hashes)
	}
	raw := make([]byte, 0, t.Width*ledger.HashBytes)
	for _, h := range hashes[:t.Width] {
		raw = append(raw, h[:]...)
	}
	return raw, nil
}

// checkTile compares the hashes of a tile with what follows from them.
func checkTile(l *ledger.Ledger, t tlog.Tile, hashes []tlog.Hash, size uint64, root tlog.Hash) error {
	var above [1]tlog.Hash
	if t.Width < tlog.TileWidth || 8*(t.Level+1) > tlog.StoredHeights()[3] {
		got, err := tlog.RootAt(l, size)
		if err == nil && got != root {
			err = fmt.Errorf("%w: the root at %d does not follow", ledger.ErrDamaged, size)
		}
		return err
	}
	if err := l.ReadHashes(8*(t.Level+1), t.Index, above[:]); err != nil {
		return err
	}
	if tlog.Join(slices.Clone(hashes)) != above[0] {
		return fmt.Errorf("%w: its hash is another", ledger.ErrDamaged)
	}
	return nil
}

// bundle returns the leaves under the first hashes of a tile.
func bundle(l *ledger.Ledger, t tlog.Tile, hashes []tlog.Hash) ([]byte, error) {
	raw, err := l.EntryBundle(t.Index, t.Width)
	if err != nil {
		return nil, err
	}
	leaves, err := tlog.ParseBundle(raw, t.Width)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrDamaged, err)
	}
	for i, leaf := range leaves {
		if tlog.LeafHash(leaf) != hashes[i] {
			return nil, fmt.Errorf("%w: leaf %d or its hash", ledger.ErrDamaged, t.Index*tlog.TileWidth+uint64(i))
		}
	}
	return raw, nil
}
