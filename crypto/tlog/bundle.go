package tlog

import (
	"encoding/binary"
	"fmt"
	"math"
)

// MaxLeafBytes is the length of the longest leaf a C2SP entry bundle can
// hold.
const MaxLeafBytes = math.MaxUint16

// AppendBundleLeaf appends a leaf to an entry bundle: its length as u16
// big-endian, then its bytes (C2SP tlog-tiles, "Log entries"). It returns
// [ErrMalformed] for a leaf above [MaxLeafBytes].
func AppendBundleLeaf(bundle, leaf []byte) ([]byte, error) {
	if len(leaf) > MaxLeafBytes {
		return nil, fmt.Errorf("append leaf to bundle: %w: %d bytes, at most %d", ErrMalformed, len(leaf), MaxLeafBytes)
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(leaf)))
	return append(bundle, leaf...), nil
}

// ParseBundle splits an entry bundle into exactly width leaves, 1 to
// [TileWidth]. The leaves are views of bundle. Missing or left-over bytes are
// [ErrMalformed].
func ParseBundle(bundle []byte, width int) ([][]byte, error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("parse bundle: %w: width %d is not 1 to %d", ErrMalformed, width, TileWidth)
	}
	leaves := make([][]byte, 0, width)
	for len(leaves) < width {
		if len(bundle) < 2 {
			return nil, fmt.Errorf("parse bundle: %w: ends at leaf %d of %d", ErrMalformed, len(leaves), width)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		if len(bundle) < end {
			return nil, fmt.Errorf("parse bundle: %w: ends within leaf %d of %d", ErrMalformed, len(leaves), width)
		}
		leaves = append(leaves, bundle[2:end:end])
		bundle = bundle[end:]
	}
	if len(bundle) != 0 {
		return nil, fmt.Errorf("parse bundle: %w: %d bytes left over", ErrMalformed, len(bundle))
	}
	return leaves, nil
}
