package console

import (
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/site"
)

// bars is a chart of counts, drawn by the node. Its numbers are in a table beneath.
type bars struct {
	ID, Title     string
	Width, Height int
	Across        bool // bars lie, with long labels
	Bars          []bar
	Table         *table
}

// bar is one, with where its label and its value stand. All in units of the drawing.
type bar struct {
	X, Y, W, H     int
	LX, LY, VX, VY int
	Label, Value   string
}

const (
	barsWide  = 720
	barsHigh  = 190
	barsBelow = 24 // for labels
	barsAbove = 20 // for values
	lyingHigh = 28
	lyingWide = 540
	lyingFrom = 170 // labels stand before
	lyingTo   = 460
)

func most(values []int64) int64 {
	top := int64(1)
	for _, v := range values {
		top = max(top, v)
	}
	return top
}

// upright draws bars that stand, for a series in time.
func (v *visit) upright(id, title, of, what string, labels []string, values []int64) *bars {
	b := &bars{ID: id, Title: title, Width: barsWide, Height: barsHigh, Table: v.chartTable(id, of, what, labels, values)}
	step, room := barsWide/max(len(values), 1), int64(barsHigh-barsBelow-barsAbove)
	for i, n := range values {
		h := int(n * room / most(values))
		if n > 0 {
			h = max(h, 2)
		}
		x := i * step
		b.Bars = append(b.Bars, bar{
			X: x + 6, Y: barsHigh - barsBelow - h, W: step - 12, H: h, LX: x + step/2, LY: barsHigh - 7, VX: x + step/2, VY: barsHigh - barsBelow - h - 5,
			Label: short(labels[i]), Value: site.Grouped(int(n)),
		})
	}
	return b
}

// short leaves the century out of a month: twelve stand next to each other.
func short(label string) string {
	if len(label) == len("2026-11") && label[4] == '-' {
		return label[2:]
	}
	return label
}

// lying draws bars that lie, for groups with names.
func (v *visit) lying(id, title, of, what string, labels []string, values []int64) *bars {
	b := &bars{ID: id, Title: title, Width: lyingWide, Height: lyingHigh*len(values) + 4, Across: true, Table: v.chartTable(id, of, what, labels, values)}
	for i, n := range values {
		w := int(n * (lyingTo - lyingFrom) / most(values))
		if n > 0 {
			w = max(w, 2)
		}
		y := i * lyingHigh
		b.Bars = append(b.Bars, bar{
			X: lyingFrom, Y: y + 5, W: w, H: lyingHigh - 8, LX: lyingFrom - 8, LY: y + 20, VX: lyingFrom + w + 6, VY: y + 20,
			Label: labels[i], Value: site.Grouped(int(n)),
		})
	}
	return b
}

func (v *visit) chartTable(id, of, what string, labels []string, values []int64) *table {
	t := &table{ID: id + "-table", Title: what, Head: numeric(1, heads(of, what))}
	for i, n := range values {
		t.Rows = append(t.Rows, []cell{word(labels[i]), count(n)})
	}
	return t
}

// tileMap is the nation with a square for each provincial unit, about where it lies.
type tileMap struct {
	ID, Title     string
	Width, Height int
	Squares       []square
}

type square struct {
	X, Y, Size          int
	NameX, NameY, CellY int
	Name, Value, Class  string
}

const squareSize = 68

// places says in which column and row a unit's square lies.
func places() map[string][2]int {
	return map[string][2]int{
		"23": {7, 0}, "15": {5, 1}, "21": {6, 1}, "22": {7, 1},
		"65": {0, 2}, "62": {1, 2}, "64": {2, 2}, "61": {3, 2}, "14": {4, 2}, "13": {5, 2}, "11": {6, 2}, "12": {7, 2},
		"54": {0, 3}, "63": {1, 3}, "51": {2, 3}, "50": {3, 3}, "41": {4, 3}, "37": {5, 3},
		"53": {2, 4}, "52": {3, 4}, "42": {4, 4}, "34": {5, 4}, "32": {6, 4}, "31": {7, 4},
		"45": {3, 5}, "43": {4, 5}, "36": {5, 5}, "33": {6, 5}, "44": {4, 6}, "35": {5, 6}, "71": {6, 6}, "46": {3, 7}, "82": {4, 7}, "81": {5, 7},
	}
}

// drawMap colours each unit by its share of the largest; who is not counted is white.
func (v *visit) drawMap(id, title string, counts map[string]int64) *tileMap {
	m := &tileMap{ID: id, Title: title, Width: 8 * squareSize, Height: 8 * squareSize}
	top := int64(1)
	for _, n := range counts {
		top = max(top, n)
	}
	for _, code := range report.Provinces() {
		at := places()[code]
		s := square{X: at[0] * squareSize, Y: at[1] * squareSize, Size: squareSize - 4, Name: v.in(report.ProvinceText(code)), Value: "–", Class: "r0"}
		s.NameX, s.NameY, s.CellY = s.X+s.Size/2, s.Y+24, s.Y+45
		if n, ok := counts[code]; ok {
			s.Value = site.Grouped(int(n))
			if n > 0 {
				s.Class = "r" + string(rune('1'+min(4, n*5/(top+1))))
			}
		}
		m.Squares = append(m.Squares, s)
	}
	return m
}
