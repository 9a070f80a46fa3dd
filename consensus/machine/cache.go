package machine

import "github.com/raresync/raresync/crypto/tlog"

const (
	verifiedSlots = 256
	rootSlots     = 1024
)

// verified remembers the digests of the last envelopes whose signature and
// bodies this node has checked, with their commitments. A leader verifies an
// envelope before Raft; without it, it would do so again in Apply.
type verified struct {
	commitments map[[32]byte][][32]byte
	ring        [verifiedSlots][32]byte
	next        int
}

func (v *verified) get(digest [32]byte) ([][32]byte, bool) {
	c, ok := v.commitments[digest]
	return c, ok
}

func (v *verified) put(digest [32]byte, commitments [][32]byte) {
	if v.commitments == nil {
		v.commitments = make(map[[32]byte][][32]byte, verifiedSlots)
	}
	delete(v.commitments, v.ring[v.next])
	v.ring[v.next] = digest
	v.commitments[digest] = commitments
	v.next = (v.next + 1) % verifiedSlots
}

// rootRing keeps the roots at the last envelope boundaries, which checkpoint
// rounds ask for.
type rootRing struct {
	sizes [rootSlots]uint64
	roots [rootSlots]tlog.Hash
	next  int
}

func (r *rootRing) add(size uint64, root tlog.Hash) {
	r.sizes[r.next], r.roots[r.next] = size, root
	r.next = (r.next + 1) % rootSlots
}

func (r *rootRing) at(size uint64) (tlog.Hash, bool) {
	for i := range r.sizes {
		if r.sizes[i] == size && size > 0 {
			return r.roots[i], true
		}
	}
	return tlog.Hash{}, false
}
