package tlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	modtlog "golang.org/x/mod/sumdb/tlog"
)

func TestTilePaths(t *testing.T) {
	for path, tile := range map[string]Tile{
		"tile/0/000":                                {Width: 256},
		"tile/0/273.p/112":                          {Index: 273, Width: 112},
		"tile/1/x001/x234/067":                      {Level: 1, Index: 1234067, Width: 256},
		"tile/63/999.p/1":                           {Level: 63, Index: 999, Width: 1},
		"tile/entries/x001/000":                     {Entries: true, Index: 1000, Width: 256},
		"tile/entries/x001/000.p/9":                 {Entries: true, Index: 1000, Width: 9},
		"tile/0/x036/x028/x797/x018/x963/967.p/255": {Index: maxTileIndex, Width: 255},
	} {
		if got := tile.Path(); got != path {
			t.Errorf("path of %+v: got %s, want %s", tile, got, path)
		}
		if got := must(ParseTilePath(path)); got != tile {
			t.Errorf("%s: got %+v, want %+v", path, got, tile)
		}
	}
}

func TestTilePathsAreSpelledOneWay(t *testing.T) {
	for name, path := range map[string]string{
		"empty":                      "",
		"a slash in front":           "/tile/0/000",
		"no index":                   "tile/0",
		"an empty index":             "tile/0/",
		"level with a zero in front": "tile/00/000",
		"level above 63":             "tile/64/000",
		"level with a sign":          "tile/+1/000",
		"level of letters":           "tile/x/000",
		"two digits":                 "tile/0/00",
		"four digits":                "tile/0/0000",
		"leading group of zeros":     "tile/0/x000/001",
		"group without x":            "tile/0/001/234",
		"x in the last group":        "tile/0/x001",
		"two x":                      "tile/0/xx01/234",
		"signs in a group":           "tile/0/+01",
		"index beyond any tree":      "tile/0/x036/x028/x797/x018/x963/968",
		"width 0":                    "tile/0/000.p/0",
		"width 256":                  "tile/0/000.p/256",
		"width with zeros":           "tile/0/000.p/01",
		"no width":                   "tile/0/000.p/",
		"two widths":                 "tile/0/000.p/1.p/2",
		"a slash behind":             "tile/0/000/",
		"a line end":                 "tile/0/000\n",
		"far too long":               "tile/0/" + strings.Repeat("x001/", 1000) + "001",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseTilePath(path)
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestTilePathsAgreeWithXMod(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		tile := Tile{Level: rng.UintN(8), Index: rng.Uint64() >> (10 + rng.UintN(54)), Width: 1 + rng.IntN(256)}
		other := modtlog.Tile{H: 8, L: int(tile.Level), N: int64(tile.Index), W: tile.Width}
		if want := strings.Replace(other.Path(), "tile/8/", "tile/", 1); tile.Path() != want {
			t.Fatalf("path: got %s, want %s", tile.Path(), want)
		}
	}
}

// The tree of 70,000 leaves is the example of C2SP tlog-tiles.
func TestTilesOfATree(t *testing.T) {
	for name, tc := range map[string]struct {
		level       uint
		index, size uint64
		width       int // 0: none
	}{
		"a full tile of leaves":            {level: 0, index: 272, size: 70_000, width: 256},
		"the partial tile of leaves":       {level: 0, index: 273, size: 70_000, width: 112},
		"no tile behind it":                {level: 0, index: 274, size: 70_000},
		"the full tile above":              {level: 1, index: 0, size: 70_000, width: 256},
		"the partial tile above":           {level: 1, index: 1, size: 70_000, width: 17},
		"the top":                          {level: 2, index: 0, size: 70_000, width: 1},
		"nothing above the top":            {level: 3, index: 0, size: 70_000},
		"one hash above 256 leaves":        {level: 1, index: 0, size: 256, width: 1},
		"nothing in the empty tree":        {level: 0, index: 0, size: 0},
		"an index beyond every tree":       {level: 0, index: 1 << 56, size: MaxSize},
		"a level beyond every tree":        {level: 8, index: 0, size: MaxSize},
		"a level beyond the specification": {level: 64, index: 0, size: MaxSize},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := TileAt(tc.level, tc.index, tc.size)
			if ok != (tc.width != 0) || got.Width != tc.width {
				t.Fatalf("got %+v %v, want width %d", got, ok, tc.width)
			}
		})
	}
}

func FuzzParseTilePath(f *testing.F) {
	for _, seed := range []string{"tile/0/000", "tile/1/x001/x234/067.p/8", "tile/entries/999.p/255", "tile/0/x000/001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := ParseTilePath(path)
		if err == nil && tile.Path() != path {
			t.Fatalf("%q parsed as %+v is written %q", path, tile, tile.Path())
		}
	})
}

func TestBundlesHoldLeavesInOrder(t *testing.T) {
	var bundle []byte
	leaves := [][]byte{[]byte("first"), {}, bytes.Repeat([]byte{7}, MaxLeafBytes)}
	for _, leaf := range leaves {
		bundle = must(AppendBundleLeaf(bundle, leaf))
	}
	got := must(ParseBundle(bundle, len(leaves)))
	for i, leaf := range leaves {
		if !bytes.Equal(got[i], leaf) {
			t.Errorf("leaf %d: got %d bytes, want %d", i, len(got[i]), len(leaf))
		}
	}
	_, err := AppendBundleLeaf(nil, make([]byte, MaxLeafBytes+1))
	wantError(t, err, ErrMalformed)
}

func TestDamagedBundlesAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		bundle string
		width  int
	}{
		"a leaf missing":       {"\x00\x01a", 2},
		"a leaf too many":      {"\x00\x01a\x00\x01b", 1},
		"half a length":        {"\x00", 1},
		"half a leaf":          {"\x00\x02a", 1},
		"width 0":              {"", 0},
		"a width above a tile": {strings.Repeat("\x00\x00", 257), 257},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseBundle([]byte(tc.bundle), tc.width)
			wantError(t, err, ErrMalformed)
		})
	}
}

func FuzzParseBundle(f *testing.F) {
	f.Add([]byte("\x00\x01a\x00\x00"), 2)
	f.Add([]byte("\xff\xffa"), 1)
	f.Add([]byte{}, 256)
	f.Fuzz(func(t *testing.T, bundle []byte, width int) {
		leaves, err := ParseBundle(bundle, width)
		if err != nil {
			return
		}
		var again []byte
		for _, leaf := range leaves {
			again = must(AppendBundleLeaf(again, leaf))
		}
		if !bytes.Equal(again, bundle) || len(leaves) != width {
			t.Fatalf("%x parsed as %d leaves is written %x", bundle, len(leaves), again)
		}
	})
}

func ExampleTile_Path() {
	tile, _ := TileAt(0, 273, 70_000)
	fmt.Println(tile.Path())
	tile.Entries = true
	fmt.Println(tile.Path())
	// Output:
	// tile/0/273.p/112
	// tile/entries/273.p/112
}
