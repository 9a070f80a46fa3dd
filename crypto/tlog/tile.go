package tlog

import (
	"fmt"
	"strconv"
	"strings"
)

// TileWidth is the number of hashes in a full tile, and of leaves in a full
// entry bundle (C2SP tlog-tiles).
const TileWidth = 256

// maxTileLevel is the greatest level C2SP tlog-tiles can spell.
const maxTileLevel = 63

// maxTileIndex is the greatest index of a tile in a tree up to [MaxSize].
const maxTileIndex = MaxSize / TileWidth

const entriesLevel = "entries"

// A Tile names a run of stored hashes, or of leaves, by its place in the
// tree, as a C2SP tlog-tiles path does.
type Tile struct {
	// Entries says that the tile is a bundle of leaves; Level is then 0.
	Entries bool

	// Level is the tile's level, 0 to 63: its hashes have height 8 * Level.
	Level uint

	// Index is the tile's number at its level, from 0. Its first hash or leaf
	// has number Index * [TileWidth].
	Index uint64

	// Width is the number of hashes or leaves: [TileWidth], or less in a
	// partial tile at the right edge of the tree.
	Width int
}

// TileAt returns tile number index of level as it stands in a tree of size
// leaves: full, partial, or false if nothing of it exists yet.
func TileAt(level uint, index, size uint64) (Tile, bool) {
	if level > maxTileLevel || index > maxTileIndex {
		return Tile{}, false
	}
	hashes := size >> (heightStep * level) // 0 for shifts of 64 and more
	if hashes <= index*TileWidth {
		return Tile{}, false
	}
	width := min(hashes-index*TileWidth, TileWidth)
	return Tile{Level: level, Index: index, Width: int(width)}, true
}

// Path returns the tile's path below the log's prefix, such as
// "tile/1/x001/x234/067.p/8" or "tile/entries/000".
func (t Tile) Path() string {
	level := strconv.FormatUint(uint64(t.Level), 10)
	if t.Entries {
		level = entriesLevel
	}
	path := "tile/" + level + "/" + PathNumber(t.Index)
	if t.Width != TileWidth {
		path += ".p/" + strconv.Itoa(t.Width)
	}
	return path
}

// PathNumber returns a number as it stands in paths: in groups of three digits, as
// "x001/x234/067", so that no folder grows large.
func PathNumber(n uint64) string {
	number := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		number = fmt.Sprintf("x%03d/%s", n%1000, number)
	}
	return number
}

// ParseTilePath reads a path as [Tile.Path] writes it. It returns
// [ErrMalformed] for any other spelling, and for an index beyond any tree up
// to [MaxSize].
func ParseTilePath(path string) (Tile, error) {
	t, err := parseTilePath(path)
	if err == nil && t.Path() != path {
		err = fmt.Errorf("%w: not the shortest spelling", ErrMalformed)
	}
	if err != nil {
		return Tile{}, fmt.Errorf("parse tile path: %w", err)
	}
	return t, nil
}

// parseTilePath accepts some spellings that Path would not write; its caller
// refuses them by comparing.
func parseTilePath(path string) (Tile, error) {
	const longest = len("tile/entries/x000/x000/x000/x000/x000/x000.p/255")
	if len(path) > longest {
		return Tile{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, longest)
	}
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok {
		return Tile{}, fmt.Errorf("%w: does not start with tile/", ErrMalformed)
	}
	level, rest, _ := strings.Cut(rest, "/")
	number, width, partial := strings.Cut(rest, ".p/")
	t := Tile{Entries: level == entriesLevel, Width: TileWidth}
	if !t.Entries {
		n, err := parseDecimal(level, maxTileLevel)
		if err != nil {
			return Tile{}, fmt.Errorf("level: %w", err)
		}
		t.Level = uint(n)
	}
	if partial {
		n, err := parseDecimal(width, TileWidth-1)
		if err != nil || n == 0 {
			return Tile{}, fmt.Errorf("%w: width is not 1 to %d", ErrMalformed, TileWidth-1)
		}
		t.Width = int(n)
	}
	index, err := parseTileIndex(number)
	t.Index = index
	return t, err
}

// parseTileIndex reads "x001/x234/067" as 1234067.
func parseTileIndex(number string) (uint64, error) {
	var index uint64
	for group := range strings.SplitSeq(number, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(group, "x"), 10, 10)
		if err != nil {
			return 0, fmt.Errorf("%w: index is not in groups of three digits", ErrMalformed)
		}
		if index = index*1000 + n; index > maxTileIndex {
			return 0, fmt.Errorf("%w: index above %d", ErrMalformed, maxTileIndex)
		}
	}
	return index, nil
}
