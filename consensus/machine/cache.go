package machine

import (
	"bytes"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	verifiedSlots = 256
	rootSlots     = 1024
)

// verified remembers the last envelopes whose signature and bodies this node
// has checked and not applied yet, with their commitments. A leader verifies
// an envelope before Raft; without it, it would do so again in Apply.
type verified struct {
	envelopes map[envelope.ID]checked
	ring      [verifiedSlots]envelope.ID
	next      int
}

// checked is an envelope that was verified. Its id covers the header alone,
// so the bytes are kept and compared: that costs less than a hash of them.
type checked struct {
	raw         []byte
	commitments [][32]byte
}

// get returns the commitments of an envelope that was verified in these bytes.
func (v *verified) get(e *envelope.Envelope) ([][32]byte, bool) {
	c, ok := v.envelopes[e.ID()]
	if !ok || !bytes.Equal(c.raw, e.Marshal()) {
		return nil, false
	}
	return c.commitments, true
}

func (v *verified) put(e *envelope.Envelope, commitments [][32]byte) {
	if v.envelopes == nil {
		v.envelopes = make(map[envelope.ID]checked, verifiedSlots)
	}
	if _, known := v.envelopes[e.ID()]; !known {
		delete(v.envelopes, v.ring[v.next])
		v.ring[v.next] = e.ID()
		v.next = (v.next + 1) % verifiedSlots
	}
	v.envelopes[e.ID()] = checked{e.Marshal(), commitments}
}

// drop forgets an envelope: once it is applied nobody asks again, and its
// bytes do not stay in memory.
func (v *verified) drop(id envelope.ID) { delete(v.envelopes, id) }

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
