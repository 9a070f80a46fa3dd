package jsontree

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits bound one document beyond its size, so that memory stays within a small
// multiple of the file's size.
type Limits struct {
	Depth     int // levels
	Values    int // of the document or, where elements are walked, of each of them
	Members   int // of one object
	TextBytes int // of one text, unescaped

	// Keep, if it is not nil, names the members that are kept, at every depth. The
	// others are read like them, and left out.
	Keep map[string]bool
}

// fewMembers is what most objects have at most.
const fewMembers = 4

// maxNumberBytes bounds a number as written.
const maxNumberBytes = 64

// ErrJSON reports input that is not one JSON document within the limits. Its
// message names a byte and a reason, never a value.
var ErrJSON = errors.New("not JSON within the limits")

// Parse reads one JSON document. It accepts what RFC 8259 does, except
// repeated names, lone surrogates, invalid UTF-8 and what exceeds the limits.
// The error is an ErrJSON.
func Parse(in []byte, limits Limits) (*Value, error) {
	return new(Memory).Parse(string(in), limits)
}

// A parser reads a document from front to back. The first error sticks.
type parser struct {
	in     string // the texts are parts of it
	pos    int
	limits Limits
	memory *Memory
	values int
	names  []string // of the members read so far of the objects that are open
	list   string   // of the outermost object, the member whose elements are given to each
	each   func(v *Value, from, to int) error
	err    error
}

// document reads all there is.
func (p *parser) document() (*Value, error) {
	if !utf8.ValidString(p.in) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrJSON)
	}
	p.names = make([]string, 0, 16)
	p.space()
	v := p.value(0)
	p.space()
	if p.err == nil && p.pos != len(p.in) {
		p.fail("more follows the document")
	}
	if p.err != nil {
		return nil, p.err
	}
	return v, nil
}

func (p *parser) fail(why string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: byte %d: %s", ErrJSON, p.pos, why)
	}
}

func (p *parser) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

// accept steps over c if it comes next.
func (p *parser) accept(c byte) bool {
	if p.peek() != c || p.pos == len(p.in) {
		return false
	}
	p.pos++
	return true
}

// begins counts a value, and reports whether one may be read here.
func (p *parser) begins(depth int) bool {
	p.values++
	switch {
	case p.err != nil:
	case depth > p.limits.Depth:
		p.fail(fmt.Sprintf("deeper than %d levels", p.limits.Depth))
	case p.values > p.limits.Values:
		p.fail(fmt.Sprintf("more than %d values", p.limits.Values))
	case p.pos == len(p.in):
		p.fail("the document ends early")
	}
	return p.err == nil
}

func (p *parser) value(depth int) *Value {
	if !p.begins(depth) {
		return nil
	}
	switch c := p.in[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth, p.value)
	case c == '"':
		return p.memory.next(Text, p.string())
	case c == '-' || c >= '0' && c <= '9':
		return p.memory.next(Number, p.number())
	}
	return p.memory.next(Literal, p.literal())
}

// skip is value for what is left out.
func (p *parser) skip(depth int) *Value {
	if !p.begins(depth) {
		return nil
	}
	switch c := p.in[p.pos]; {
	case c == '{':
		p.members(depth, func(string) { p.skip(depth + 1) })
	case c == '[':
		p.array(depth, p.skip)
	case c == '"':
		p.string()
	case c == '-' || c >= '0' && c <= '9':
		p.number()
	default:
		p.literal()
	}
	return nil
}

func (p *parser) object(depth int) *Value {
	v := p.memory.next(Object, "")
	p.members(depth, func(name string) {
		if p.limits.Keep != nil && !p.limits.Keep[name] {
			p.skip(depth + 1)
			return
		}
		if cap(v.Names) == 0 {
			v.Names, v.Items = make([]string, 0, fewMembers), make([]*Value, 0, fewMembers)
		}
		v.Names = append(v.Names, name)
		v.Items = append(v.Items, p.member(name, depth+1))
	})
	return v
}

// members reads an object, and gives the name of each member to take, which reads
// what stands behind it.
func (p *parser) members(depth int, take func(name string)) {
	first := len(p.names)
	defer func() { p.names = p.names[:first] }()
	var many map[string]bool // the names of a large object
	p.pos++
	p.space()
	if p.accept('}') {
		return
	}
	for p.err == nil {
		p.space()
		if p.peek() != '"' {
			p.fail("a name is missing")
			break
		}
		name := p.string()
		if many = p.note(name, first, many); p.err != nil {
			break
		}
		p.space()
		if !p.accept(':') {
			p.fail("a colon is missing")
		}
		p.space()
		take(name)
		if len(p.names)-first > p.limits.Members {
			p.fail(fmt.Sprintf("more than %d members", p.limits.Members))
		}
		p.space()
		if p.accept('}') {
			return
		}
		p.comma()
	}
}

// note enters a name of the object whose names begin at first, and fails if the
// object has it already. From many names on they are looked up in a map.
func (p *parser) note(name string, first int, many map[string]bool) map[string]bool {
	if many == nil && slices.Contains(p.names[first:], name) || many[name] {
		p.fail("a name occurs twice in one object")
	}
	p.names = append(p.names, name)
	switch {
	case many != nil:
		many[name] = true
	case len(p.names)-first == largeObject:
		many = make(map[string]bool, 2*largeObject)
		for _, n := range p.names[first:] {
			many[n] = true
		}
	}
	return many
}

// member reads what stands behind a name.
func (p *parser) member(name string, depth int) *Value {
	if depth == 1 && p.each != nil && name == p.list && p.peek() == '[' {
		return p.array(depth, p.give)
	}
	return p.value(depth)
}

// give gives an element of the long array away.
func (p *parser) give(depth int) *Value {
	from, block, at := p.pos, p.memory.block, p.memory.at
	p.values = 0
	v := p.value(depth)
	if p.err == nil {
		p.err = p.each(v, from, p.pos)
	}
	p.memory.block, p.memory.at = block, at
	return nil
}

func (p *parser) array(depth int, element func(depth int) *Value) *Value {
	v := p.memory.next(Array, "")
	p.pos++
	p.space()
	if p.accept(']') {
		return v
	}
	for p.err == nil {
		p.space()
		if item := element(depth + 1); item != nil {
			v.Items = append(v.Items, item)
		}
		p.space()
		if p.accept(']') {
			return v
		}
		p.comma()
	}
	return v
}

func (p *parser) comma() {
	if p.err == nil && !p.accept(',') {
		p.fail("a comma or the end of an object or array is missing")
	}
}
