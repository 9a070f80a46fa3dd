package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/staticcopy"
	"github.com/raresync/raresync/registry/envelope"
)

// At once of a static copy, which may be on the other side of a network.
const (
	staticEnvelopes = 64
	staticTiles     = 8
)

// static is a static copy that is verified.
type static struct {
	source *staticcopy.Source
	bodies bool // the copy has them
	sc     tlog.SignedCheckpoint
	state  *state.State // nil before the genesis
	done   func()
	tiles  tiles

	envelopes []extent // with entries, of a copy with bodies
}

// An extent is where the entries of an envelope lie, and which have no body.
type extent struct {
	hospital uint32
	first    uint64
	count    uint32
	absent   []uint64
}

// Static verifies a static copy as [Copy] does a node's, up to its checkpoint, and
// every tile and bundle that the checkpoint covers. It holds no salts: whether the
// sealed bodies in it are those committed to is not seen, and what was withdrawn must
// not be among them. The error is ErrUnverified with the first thing that is wrong
// and where, staticcopy.ErrAbsent if there is no copy, or the network's.
func Static(ctx context.Context, source *staticcopy.Source, o Options) (*Result, error) {
	network, bodies, err := source.Describe(ctx)
	if err != nil {
		return nil, strange(err, false)
	}
	note := o.Note
	if note == nil {
		if note, err = source.Checkpoint(ctx); err != nil {
			return nil, strange(err, false)
		}
	}
	c := static{source: source, bodies: bodies, done: func() {}}
	if c.sc, err = tlog.ParseSignedCheckpoint(note); err != nil {
		return nil, unverified("checkpoint: %w", err)
	}
	if o.Progress != nil {
		c.done = o.Progress(c.sc.Size)
	}
	if err := c.derive(ctx); err != nil {
		return nil, err
	}
	if c.state.Network != network {
		return nil, unverified("it says it is of network %x, its genesis makes %x", network, c.state.Network)
	}
	root := c.state.Tree.Root()
	r, err := compare(c.state, o.Policy, c.sc, func(uint64) (tlog.Hash, error) { return root, nil })
	if err != nil {
		return nil, err
	}
	r.Erased, err = c.withdrawn()
	return r, err
}

// strange turns what is wrong with a file into a finding. Of the files that a copy
// is known by, one that is not there is none.
func strange(err error, within bool) error {
	if errors.Is(err, staticcopy.ErrMalformed) || errors.Is(err, staticcopy.ErrTooLarge) || within && errors.Is(err, staticcopy.ErrAbsent) {
		return fmt.Errorf("%w: %w", ErrUnverified, err)
	}
	return err
}

// derive applies the envelopes up to the checkpoint.
func (c *static) derive(ctx context.Context) error {
	get := c.source.Bare
	if c.bodies {
		get = c.source.Envelopes
	}
	for number := uint64(0); c.state == nil || c.state.Tree.Size() < c.sc.Size; {
		to := number + staticEnvelopes
		if c.state == nil {
			to = number + 1
		}
		list, err := get(ctx, number, to)
		if err != nil {
			return strange(err, true)
		}
		readings := make([]reading, len(list))
		each(len(list), runtime.GOMAXPROCS(0), func(i int) {
			readings[i] = reading{envelope: list[i].Envelope, logTime: list[i].LogTime}
			if c.state != nil {
				readings[i].verify(nil, c.state, false)
			}
		})
		for i, r := range readings {
			if c.state != nil && c.state.Tree.Size() >= c.sc.Size {
				break // the copy is being brought up to a newer checkpoint
			}
			if err := c.apply(r, list[i]); err != nil {
				return fmt.Errorf("envelope %d: %w", number, err)
			}
			number++
		}
		if err := c.tiles.compare(ctx, c.source, c.sc.Size); err != nil {
			return err
		}
	}
	if size := c.state.Tree.Size(); size != c.sc.Size {
		return unverified("the checkpoint is of %d entries, and the envelope there ends with %d", c.sc.Size, size)
	}
	return nil
}

func (c *static) apply(r reading, u consensus.Unsalted) error {
	if r.err != nil {
		return r.err
	}
	s, accepted, err := admitted(c.state, r)
	if err != nil {
		return err
	}
	c.state = s
	if c.bodies && r.envelope.Kind != envelope.KindAct {
		x := extent{hospital: r.envelope.Hospital, first: accepted.First, count: r.envelope.Count}
		for i, b := range u.Bodies {
			if b.Ciphertext == nil {
				x.absent = append(x.absent, accepted.First+uint64(i))
			}
		}
		c.envelopes = append(c.envelopes, x)
	}
	for range accepted.Leaves {
		c.done()
	}
	c.tiles.add(accepted)
	return nil
}

// withdrawn wants no body in the copy that was withdrawn, and counts those entries.
// One that is missing may have been withdrawn after the checkpoint.
func (c *static) withdrawn() (erased uint64, err error) {
	for _, x := range c.envelopes {
		absent := map[uint64]bool{}
		for _, index := range x.absent {
			absent[index] = true
		}
		for index := x.first; index < x.first+uint64(x.count); index++ {
			switch {
			case !c.state.Withdrawn(x.hospital, index):
			case !absent[index]:
				return 0, unverified("entry %d was withdrawn, and its body is still in the copy", index)
			default:
				erased++
			}
		}
	}
	return erased, nil
}

// tiles are what the tiles of a copy must be, as far as they were not compared yet.
type tiles struct {
	leaves [][]byte // of the bundles
	hashes [4][]tlog.Hash
	next   [4]uint64 // index of the tile that hashes of a level begin with
}

func (t *tiles) add(a state.Accepted) {
	t.leaves = append(t.leaves, a.Leaves...)
	for level, height := range tlog.StoredHeights() {
		t.hashes[level] = append(t.hashes[level], a.Hashes[height]...)
	}
}

// A due tile is to be compared.
type due struct {
	tile tlog.Tile
	want []byte
}

// compare compares the tiles of a tree of some size that are complete now. The last
// of each level are so when the whole tree is there.
func (t *tiles) compare(ctx context.Context, source *staticcopy.Source, size uint64) error {
	var list []due
	for level := range t.hashes {
		for {
			tile, ok := tlog.TileAt(uint(level), t.next[level], size)
			if !ok || tile.Width > len(t.hashes[level]) {
				break
			}
			var want []byte
			for _, h := range t.hashes[level][:tile.Width] {
				want = append(want, h[:]...)
			}
			list = append(list, due{tile, want})
			if level == 0 {
				bundle, err := bundleOf(t.leaves[:tile.Width])
				if err != nil {
					return err
				}
				t.leaves = t.leaves[tile.Width:]
				tile.Entries = true
				list = append(list, due{tile, bundle})
			}
			t.hashes[level] = t.hashes[level][tile.Width:]
			t.next[level]++
		}
	}
	errs := make([]error, len(list))
	each(len(list), staticTiles, func(i int) { errs[i] = list[i].compare(ctx, source) })
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func bundleOf(leaves [][]byte) (bundle []byte, err error) {
	for _, leaf := range leaves {
		if bundle, err = tlog.AppendBundleLeaf(bundle, leaf); err != nil {
			return nil, err
		}
	}
	return bundle, nil
}

func (d due) compare(ctx context.Context, source *staticcopy.Source) error {
	got, err := source.Tile(ctx, d.tile)
	if errors.Is(err, staticcopy.ErrAbsent) && d.tile.Width < tlog.TileWidth {
		full := d.tile // it has become full meanwhile
		full.Width = tlog.TileWidth
		if got, err = source.Tile(ctx, full); len(got) > len(d.want) {
			got = got[:len(d.want)]
		}
	}
	if err != nil {
		return strange(err, true)
	}
	if !bytes.Equal(got, d.want) {
		return unverified("%s is not what the envelopes make", d.tile.Path())
	}
	return nil
}
