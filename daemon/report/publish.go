package report

import (
	"math"
	"slices"
)

// step is what printed counts are multiples of, but for the smallest.
const step = 5

// leastWidth is how many values a printed count may stand for at least.
const leastWidth = 3

// bin is the run of values that a printed, or withheld, count may stand for.
type bin struct{ lo, hi int64 }

// binOf puts a count into its bin. The bins are the same for ever: those of counts
// below the smallest cell, and of multiples of the step. One that would be narrower
// than leastWidth goes with the next.
func binOf(n int64, minCell int) bin {
	least := int64(minCell)
	if n < least {
		return bin{0, least - 1}
	}
	second := (least + leastWidth + step - 1) / step * step
	if n < second {
		return bin{least, second - 1}
	}
	lo := n / step * step
	return bin{lo, lo + step - 1}
}

// Published returns the report as it may be passed on, with a smallest cell of 3 to
// 20. An exact report stays as it is.
func (r Report) Published(minCell int) Report {
	minCell = min(max(minCell, 3), 20)
	r.MinCell = minCell
	tables := make([]Table, len(r.Tables))
	for i, t := range r.Tables {
		tables[i] = t.published(minCell)
	}
	r.Tables = tables
	return r
}

func (t Table) published(minCell int) Table {
	out := t
	out.Rows = make([][]Cell, len(t.Rows))
	for i, row := range t.Rows {
		out.Rows[i] = publishedRow(t.Columns, row, minCell)
	}
	if t.Found {
		out.Rows = slices.DeleteFunc(out.Rows, out.few)
	}
	if t.Total == nil {
		return out
	}
	out.Total = publishedRow(t.Columns, t.Total, minCell)
	for at, column := range t.Columns {
		if column.Kind != People || column.Sum == NoSum || !t.narrows(at, minCell) {
			continue
		}
		if !t.KeepTotal {
			out.Total[at] = Cell{Withheld: true}
			continue
		}
		for _, row := range out.Rows {
			row[at] = Cell{Withheld: true}
		}
	}
	return out
}

// narrows reports whether the total of a column, beside its rows, would tell more of
// any of them, or of itself, than what is printed of each alone.
func (t Table) narrows(at, minCell int) bool {
	total := binOf(t.Total[at].N, minCell)
	parts := make([]bin, len(t.Rows))
	var sum bin
	for i, row := range t.Rows {
		parts[i] = binOf(row[at].N, minCell)
		sum.lo, sum.hi = sum.lo+parts[i].lo, sum.hi+parts[i].hi
	}
	if sum.hi < total.hi { // a total that could be more than all parts can be
		return true
	}
	if t.Columns[at].Sum == Adds && sum.lo > total.lo {
		return true
	}
	return slices.ContainsFunc(parts, func(p bin) bool {
		return total.lo-(sum.hi-p.hi) > p.lo || t.Columns[at].Sum == Adds && total.hi-(sum.lo-p.lo) < p.hi
	})
}

func publishedRow(columns []Column, row []Cell, minCell int) []Cell {
	out := slices.Clone(row)
	for i, c := range columns {
		switch {
		case c.Kind == Open:
			out[i] = Cell{Withheld: true}
		case c.Kind == Share:
			out[i] = publishedShare(row[i], minCell)
		case c.Kind == Middle && row[i].Public:
		case c.Kind == Middle && row[i].Of < int64(minCell):
			out[i] = Cell{Withheld: true}
		case c.Kind == Middle:
			out[i] = Cell{Value: math.Round(row[i].Value), Of: binOf(row[i].Of, minCell).lo}
		case c.Kind == People && !row[i].None:
			out[i] = publishedCount(row[i].N, minCell)
		}
	}
	return out
}

func publishedCount(n int64, minCell int) Cell {
	if n < int64(minCell) {
		return Cell{Withheld: true}
	}
	return Cell{N: binOf(n, minCell).lo}
}

// publishedShare is of the counts as printed, so that it tells nothing that they do
// not: also whether it is printed follows from them.
func publishedShare(c Cell, minCell int) Cell {
	if c.N < int64(minCell) || c.Of < int64(minCell) {
		return Cell{Withheld: true}
	}
	return Cell{N: binOf(c.N, minCell).lo, Of: binOf(c.Of, minCell).lo}
}

// few reports whether a published row prints no count of people: then nothing but a
// small count explains that it is there.
func (t Table) few(row []Cell) bool {
	for i, c := range t.Columns {
		if c.Kind == People && !row[i].Withheld {
			return false
		}
	}
	return true
}

// Suppressed counts the figures of a published table and those of them that are
// withheld, and says "none", "printed" or "withheld" of its total.
func (t Table) Suppressed() (figures, withheld uint64, total string) {
	for _, row := range t.Rows {
		all, held := t.held(row)
		figures, withheld = figures+all, withheld+held
	}
	if t.Total == nil {
		return figures, withheld, "none"
	}
	all, held := t.held(t.Total)
	if total = "printed"; held > 0 {
		total = "withheld"
	}
	return figures + all, withheld + held, total
}

func (t Table) held(row []Cell) (figures, withheld uint64) {
	for i, c := range row {
		if t.Columns[i].Kind != Word {
			figures++
		}
		if c.Withheld {
			withheld++
		}
	}
	return figures, withheld
}
