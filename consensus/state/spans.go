package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/registry/act"
)

// holds reports whether an index is in a set of spans, which ascend.
func holds(set []act.Span, index uint64) bool {
	i, found := slices.BinarySearchFunc(set, index, func(s act.Span, index uint64) int { return cmp.Compare(s.First, index) })
	return found || i > 0 && index < set[i-1].End()
}

// holdsAll reports whether every index of part is in the set.
func holdsAll(set, part []act.Span) bool {
	for _, p := range part {
		i, found := slices.BinarySearchFunc(set, p.First, func(s act.Span, first uint64) int { return cmp.Compare(s.First, first) })
		if !found {
			i--
		}
		if i < 0 || p.End() > set[i].End() { // spans of a set do not touch: one holds all of it or none does
			return false
		}
	}
	return true
}

// union returns a new set with the indexes of both.
func union(a, b []act.Span) []act.Span {
	all := make([]act.Span, 0, len(a)+len(b))
	all = append(append(all, a...), b...)
	slices.SortFunc(all, func(x, y act.Span) int { return cmp.Compare(x.First, y.First) })
	out := all[:0]
	for _, s := range all {
		if n := len(out); n > 0 && s.First <= out[n-1].End() {
			out[n-1].Count = max(out[n-1].End(), s.End()) - out[n-1].First
			continue
		}
		out = append(out, s)
	}
	return out
}
