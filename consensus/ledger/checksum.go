package ledger

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// checksumFits reports whether b ends in the checksum of what is before it.
func checksumFits(b []byte) bool {
	n := len(b) - checksumBytes
	return n >= 0 && checksum(b[:n]) == binary.BigEndian.Uint32(b[n:])
}
