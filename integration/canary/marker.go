package canary

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Marker is a made-up text that identifies somebody, or that only those may see
// to whom it is sealed.
type Marker struct {
	What  string   // the sort of text, as "a name"
	Value string   // UTF-8, or a key's bytes; at least eight bytes
	Homes []string // the nodes that were given it
	Whole bool     // pieces of it tell nothing, as of a code that begins like others
}

// At reports whether a node was given the marker.
func (m *Marker) At(node string) bool {
	return slices.Contains(m.Homes, node)
}

// Forms returns every form in which the marker is looked for, by its name.
func (m *Marker) Forms() map[string]string {
	forms := map[string]string{}
	for _, f := range formsOf(m) {
		forms[f.name] = string(f.text)
	}
	return forms
}

// Mint makes texts that exist nowhere else. The same seed makes the same ones.
type Mint struct {
	rng   *rand.Rand
	pairs map[[2]int]bool // neighbours in names, the smaller first
	said  []byte          // what the program itself says beyond ASCII; no name has eight bytes of it
}

// Avoid keeps names apart from the Chinese texts of a program, which lie side by side
// in it in any order.
func (m *Mint) Avoid(program []byte) {
	from := -1
	for i, c := range append(program[:len(program):len(program)], 0) {
		switch {
		case c >= 0x80 && from < 0:
			from = i
		case c < 0x80 && from >= 0:
			if i-from >= pieceBytes {
				m.said = append(append(m.said, program[from:i]...), 0)
			}
			from = -1
		}
	}
}

// isSaid reports whether a piece of a name stands in the program, in any form in
// which it is looked for: also backwards.
func (m *Mint) isSaid(name string) bool {
	for _, f := range formsOf(&Marker{Value: name}) {
		for i := 0; i+f.least <= len(f.text) && f.text[i] >= 0x80; i++ {
			if bytes.Contains(m.said, f.text[i:i+f.least]) {
				return true
			}
		}
	}
	return false
}

// NewMint returns the mint of a seed.
func NewMint(seed uint64) *Mint {
	return &Mint{rng: rand.New(rand.NewPCG(seed, 0x6d696e74)), pairs: map[[2]int]bool{}}
}

// Name returns a name of six characters. No two names have two neighbours in
// common, also backwards, so that no piece of one is of another; for some two
// hundred names there are characters enough, and then it panics.
func (m *Mint) Name() string {
	for range 100_000 {
		if name, ok := m.pair(m.rng.Perm(len(nameRunes))[:6]); ok {
			return name
		}
	}
	panic("canary: no more names")
}

// pair makes a name of characters, unless two of them have met before.
func (m *Mint) pair(chosen []int) (string, bool) {
	var name strings.Builder
	pairs := map[[2]int]bool{}
	for i, c := range chosen {
		name.WriteRune(nameRunes[c])
		if i > 0 {
			pairs[[2]int{min(c, chosen[i-1]), max(c, chosen[i-1])}] = true
		}
	}
	for p := range pairs {
		if m.pairs[p] {
			return "", false
		}
	}
	if m.isSaid(name.String()) {
		return "", false
	}
	maps.Copy(m.pairs, pairs)
	return name.String(), true
}

// Digits returns so many digits, of which the first is not 0.
func (m *Mint) Digits(n int) string {
	digits := make([]byte, n)
	for i := range digits {
		digits[i] = byte('0' + m.rng.IntN(10))
	}
	digits[0] = byte('1' + m.rng.IntN(9))
	return string(digits)
}

// Code returns so many capitals and digits, a digit in every fourth place.
func (m *Mint) Code(n int) string {
	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	code := make([]byte, n)
	for i := range code {
		if code[i] = letters[m.rng.IntN(len(letters))]; i%4 == 3 {
			code[i] = byte('0' + m.rng.IntN(10))
		}
	}
	return string(code)
}

// Phone returns a mobile number of eleven digits.
func (m *Mint) Phone() string { return fmt.Sprintf("19%d%s", 2+m.rng.IntN(8), m.Digits(8)) }

// Words returns a text of so many words that mean nothing.
func (m *Mint) Words(n int) string {
	words := make([]string, n)
	for i := range words {
		word := make([]byte, 9)
		for j := range word {
			word[j] = byte('a' + m.rng.IntN(26))
		}
		words[i] = string(word)
	}
	return strings.Join(words, " ")
}

// N returns a number from 0 to n-1.
func (m *Mint) N(n int) int { return m.rng.IntN(n) }

// Order returns the numbers from 0 to n-1 in some order.
func (m *Mint) Order(n int) []int { return m.rng.Perm(n) }
