package jsontree

// A Memory holds the values of documents that are needed for a short time, and
// uses them again: who reads a file of many small documents, one after the other,
// spares most of what reading them would allocate. The zero Memory is ready. It is
// not for several goroutines at once.
type Memory struct {
	blocks [][]Value
	block  int // the one that the next value comes from
	at     int // its place there
}

// The values of a block, of the first and of a later one. What one document needs
// little of is not wasted on it.
const (
	firstBlock = 4
	laterBlock = 16
)

// keptBlocks is how many blocks stay with a memory when it is released, and
// keptItems how many members or elements may have room in one of their values.
const (
	keptBlocks = 512
	keptItems  = 64
)

// Parse is [Parse] with values that are the caller's until Release.
func (m *Memory) Parse(in string, limits Limits) (*Value, error) {
	return m.Walk(in, limits, "", nil)
}

// Walk is Parse for an object with a long array: the elements of the member
// list are given to each, with the bytes at which they begin and end, and left
// out of what is returned, so that one of them is in memory at a time: it is
// each's until it returns. An error of each ends the reading and is returned.
func (m *Memory) Walk(in string, limits Limits, list string, each func(v *Value, from, to int) error) (*Value, error) {
	p := parser{in: in, limits: limits, memory: m, list: list, each: each}
	return p.document()
}

// Release takes back all values that were given: nothing may hold one any more.
// Their texts stay good.
func (m *Memory) Release() {
	m.block, m.at = 0, 0
	if len(m.blocks) > keptBlocks {
		clear(m.blocks[keptBlocks:])
		m.blocks = m.blocks[:keptBlocks]
	}
}

// next returns a value of a kind without members or elements.
func (m *Memory) next(kind Kind, text string) *Value {
	if m.block < len(m.blocks) && m.at == len(m.blocks[m.block]) {
		m.block, m.at = m.block+1, 0
	}
	if m.block == len(m.blocks) {
		size := laterBlock
		if m.block == 0 {
			size = firstBlock
		}
		m.blocks = append(m.blocks, make([]Value, size))
	}
	v := &m.blocks[m.block][m.at]
	m.at++
	v.Kind, v.Text, v.places = kind, text, nil
	if cap(v.Items) > keptItems {
		v.Names, v.Items = nil, nil
	}
	v.Names, v.Items = v.Names[:0], v.Items[:0]
	return v
}
