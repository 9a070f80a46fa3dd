package home

import (
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

// Gone is a key that the key file held once and does not hold now: a signing key
// that was destroyed, or a sealing key that was taken offline.
type Gone struct {
	Purpose sign.Purpose // 0: sealing
	ID      [32]byte
}

const (
	goneName  = "gone"
	goneBytes = 1 + 32
	maxGone   = 1000 // the oldest are forgotten
)

// withGone adds keys to the list, each once.
func withGone(list []Gone, more ...Gone) []Gone {
	list = slices.Clone(list)
	for _, g := range more {
		if !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	return list[max(0, len(list)-maxGone):]
}

func goneSealing(key *seal.ReaderPrivate) Gone { return Gone{ID: key.Public().ID()} }

func goneSigning(key *sign.PrivateKey) Gone { return Gone{key.Purpose(), key.Public().ID()} }

// WasHere finds a key that the key file held once.
func (k *Keys) WasHere(id [32]byte) (Gone, bool) {
	i := slices.IndexFunc(k.Gone, func(g Gone) bool { return g.ID == id })
	if i < 0 {
		return Gone{}, false
	}
	return k.Gone[i], true
}

func marshalGone(list []Gone) (raw []byte) {
	for _, g := range list {
		raw = append(append(raw, byte(g.Purpose)), g.ID[:]...)
	}
	return raw
}

func parseGone(raw []byte) (list []Gone, err error) {
	if len(raw)%goneBytes != 0 || len(raw) > maxGone*goneBytes {
		return nil, fmt.Errorf("has %d bytes", len(raw))
	}
	for one := range slices.Chunk(raw, goneBytes) {
		list = append(list, Gone{sign.Purpose(one[0]), [32]byte(one[1:])})
	}
	return list, nil
}
