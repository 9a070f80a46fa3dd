package slot

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

const (
	sectorBytes = 512
	headBytes   = 8 + 2 // counter, length
	sumBytes    = 4
)

// MaxValueBytes is the largest value that fits into a sector.
const MaxValueBytes = sectorBytes - headBytes - sumBytes

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// copyOf is what one sector holds.
type copyOf struct {
	counter uint64
	value   []byte // nil: none yet
	whole   bool   // both blocks of its slot hold it
}

// sector returns the value as it is written.
func (c copyOf) sector() []byte {
	b := make([]byte, sectorBytes)
	binary.BigEndian.PutUint64(b, c.counter)
	binary.BigEndian.PutUint16(b[8:], uint16(len(c.value)))
	copy(b[headBytes:], c.value)
	end := sectorBytes - sumBytes
	binary.BigEndian.PutUint32(b[end:], crc32.Checksum(b[:end], castagnoli))
	return b
}

// put writes both copies into the bytes of a whole file.
func put(raw []byte, c copyOf) {
	off := int(c.counter%2) * slotBytes
	copy(raw[off:], c.sector())
	copy(raw[off+blockBytes:], c.sector())
}

// read returns what the sector at the beginning of b holds.
func read(b []byte) (c copyOf, ok bool) {
	end := sectorBytes - sumBytes
	if crc32.Checksum(b[:end], castagnoli) != binary.BigEndian.Uint32(b[end:]) {
		return c, false
	}
	n := int(binary.BigEndian.Uint16(b[8:]))
	if n > MaxValueBytes {
		return c, false
	}
	c.counter = binary.BigEndian.Uint64(b)
	if n > 0 {
		c.value = append([]byte(nil), b[headBytes:headBytes+n]...)
	}
	return c, true
}

// pair is the file's two slots.
type pair [2]copyOf

func (p pair) newest() copyOf {
	if p[1].counter > p[0].counter {
		return p[1]
	}
	return p[0]
}

// parse reads both slots. A slot is known if one of its blocks is; of two that
// differ the write was cut short, and the newer one counts.
func parse(raw []byte) (slots pair, err error) {
	if len(raw) != fileBytes {
		return slots, errors.New("not of its fixed size")
	}
	for i := range slots {
		a, aOK := read(raw[i*slotBytes:])
		b, bOK := read(raw[i*slotBytes+blockBytes:])
		if !aOK && !bOK {
			return slots, errors.New("both copies of a value are damaged")
		}
		if !aOK || bOK && b.counter > a.counter {
			a, aOK = b, bOK && aOK
		}
		a.whole = aOK && bOK && a.counter == b.counter
		slots[i] = a
	}
	if older, newer := min(slots[0].counter, slots[1].counter), slots.newest().counter; newer != older+1 || slots[0].counter%2 != 0 {
		return slots, errors.New("its values do not follow each other")
	}
	return slots, nil
}
