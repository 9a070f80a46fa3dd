package logstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/hashicorp/raft"

	"github.com/raresync/raresync/consensus/fault"
)

// Record types of this package, far from Raft's own. They never leave it,
// except that an anchor answers for index and term.
const (
	typeEnd       raft.LogType = 0xfd // stands behind the last record
	typeAnchor    raft.LogType = 0xfe // stands at the snapshot's index
	typeTombstone raft.LogType = 0xff // what a replaced suffix leaves behind
)

// trailerBytes is the size of what a stored record has at the end of its
// Extensions: the predecessor's chain value u32, its own chain value u32.
const trailerBytes = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// chainValue is CRC-32C over index, term, type, time and lengths, data,
// extensions and the predecessor's value.
func chainValue(l *raft.Log, extensions []byte, prev uint32) uint32 {
	var head [49]byte
	binary.BigEndian.PutUint64(head[0:], l.Index)
	binary.BigEndian.PutUint64(head[8:], l.Term)
	head[16] = byte(l.Type)
	binary.BigEndian.PutUint64(head[17:], uint64(l.AppendedAt.Unix()))
	binary.BigEndian.PutUint32(head[25:], uint32(l.AppendedAt.Nanosecond()))
	binary.BigEndian.PutUint64(head[29:], uint64(len(l.Data)))
	binary.BigEndian.PutUint64(head[37:], uint64(len(extensions)))
	binary.BigEndian.PutUint32(head[45:], prev)
	sum := crc32.Update(0, castagnoli, head[:])
	sum = crc32.Update(sum, castagnoli, l.Data)
	return crc32.Update(sum, castagnoli, extensions)
}

// chained returns a copy of l as it is stored, and its chain value. The copy
// shares Data: Raft's leader shares the pointer, so l itself stays untouched.
func chained(l *raft.Log, prev uint32) (*raft.Log, uint32) {
	value := chainValue(l, l.Extensions, prev)
	stored := *l
	stored.Extensions = make([]byte, 0, len(l.Extensions)+trailerBytes)
	stored.Extensions = append(stored.Extensions, l.Extensions...)
	stored.Extensions = binary.BigEndian.AppendUint32(stored.Extensions, prev)
	stored.Extensions = binary.BigEndian.AppendUint32(stored.Extensions, value)
	return &stored, value
}

// endOf returns the record that stands behind the record at index with chain
// value head. A page of bbolt's has no checksum of its own: a bit that flips in
// one may take records off the log's end, and then there is no such record.
func endOf(index uint64, head uint32) *raft.Log {
	end, _ := chained(&raft.Log{Index: index + 1, Type: typeEnd}, head)
	return end
}

// A link is a record's place in the chain.
type link struct{ prev, value uint32 }

// unchain checks a record read at index and strips the trailer from it.
func unchain(l *raft.Log, index uint64) (link, error) {
	n := len(l.Extensions) - trailerBytes
	if n < 0 {
		return link{}, fmt.Errorf("%w: record %d has no checksum", ErrDamaged, index)
	}
	k := link{
		prev:  binary.BigEndian.Uint32(l.Extensions[n:]),
		value: binary.BigEndian.Uint32(l.Extensions[n+4:]),
	}
	l.Extensions = l.Extensions[:n:n]
	if n == 0 {
		l.Extensions = nil
	}
	if l.Index != index || chainValue(l, l.Extensions, k.prev) != k.value && !fault.Planted(fault.SkipChecksum) {
		return link{}, fmt.Errorf("%w: record %d does not fit its checksum", ErrDamaged, index)
	}
	return k, nil
}
