package sign

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// LogKeyOf returns the log key of a later log epoch of a network, which follows
// from the node's log key: the key file stays as it is, and so do its copies. The
// epochs' keys tell nothing of each other.
//
// Its seed is HKDF-Expand (RFC 5869 section 2.3) with SHA-256 of this key's seed,
// info = "raresync/v1/log-epoch" 00 ‖ network ‖ epoch u64.
func (k *PrivateKey) LogKeyOf(network [32]byte, epoch uint64) (*PrivateKey, error) {
	if k.Purpose() != PurposeLog || epoch < 2 {
		return nil, fmt.Errorf("log key of epoch %d: %w: from a key for %s", epoch, ErrKey, k.Purpose())
	}
	ed, _ := k.Seeds()
	info := append([]byte("raresync/v1/log-epoch\x00"), network[:]...)
	info = binary.BigEndian.AppendUint64(info, epoch)
	seed, err := hkdf.Expand(sha256.New, ed[:], string(info), len(ed))
	if err != nil {
		return nil, fmt.Errorf("log key of epoch %d: %w", epoch, err)
	}
	return NewFromSeeds(PurposeLog, [32]byte(seed), [32]byte{}), nil
}
