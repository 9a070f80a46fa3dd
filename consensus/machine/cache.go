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
// has checked and not applied yet. A leader verifies an envelope before Raft;
// without it, it would do so again in Apply.
type verified struct {
	envelopes map[suffix]prepared
	ring      [verifiedSlots]suffix
	next      int
}

// suffix finds an envelope by its last bytes, which are ciphertext. What is
// found is compared byte for byte: that costs less than a hash.
type suffix [32]byte

func suffixOf(raw []byte) (s suffix) {
	copy(s[:], raw[max(0, len(raw)-len(s)):])
	return s
}

// get returns an envelope that was verified in these bytes.
func (v *verified) get(raw []byte) (prepared, bool) {
	p, ok := v.envelopes[suffixOf(raw)]
	if !ok || !bytes.Equal(p.envelope.Marshal(), raw) {
		return prepared{}, false
	}
	return p, true
}

func (v *verified) put(e *envelope.Envelope, commitments [][32]byte) {
	if v.envelopes == nil {
		v.envelopes = make(map[suffix]prepared, verifiedSlots)
	}
	key := suffixOf(e.Marshal())
	if _, known := v.envelopes[key]; !known {
		delete(v.envelopes, v.ring[v.next])
		v.ring[v.next] = key
		v.next = (v.next + 1) % verifiedSlots
	}
	v.envelopes[key] = prepared{envelope: e, commitments: commitments, verified: true}
}

// drop forgets an envelope: once it is applied nobody asks again, and its
// bytes do not stay in memory.
func (v *verified) drop(e *envelope.Envelope) { delete(v.envelopes, suffixOf(e.Marshal())) }

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
