package report

import (
	"math/rand/v2"
	"testing"
)

// release is a table as it stood in one month, and as it was published.
type release struct{ exact, printed Table }

// months makes a table grow for two years as registrations come, and publishes it
// each month.
func months(rng *rand.Rand, minCell, rows int, sum Sum, keepTotal bool) (out []release) {
	counts := make([]int64, rows)
	rate := make([]float64, rows)
	for i := range rate {
		rate[i] = []float64{0, 0.1, 0.5, 2, 9}[rng.IntN(5)]
		counts[i] = int64(rng.IntN(2 * minCell))
	}
	shared, before := int64(0), int64(0) // persons who are in several rows; the total of the month before
	for range 24 {
		t := Table{Columns: []Column{{Kind: Word}, {Kind: People, Sum: sum}}, KeepTotal: keepTotal}
		var total, most int64
		for i := range counts {
			for range 3 {
				if rng.Float64() < rate[i]/3 {
					counts[i]++
				}
			}
			t.Rows = append(t.Rows, []Cell{{}, number(counts[i])})
			total, most = total+counts[i], max(most, counts[i])
		}
		if sum == Overlap {
			if rng.IntN(3) == 0 {
				shared++
			}
			shared = min(shared, total-most)
			total = max(total-shared, before)
			before = total
		}
		t.Total = []Cell{{}, number(total)}
		out = append(out, release{t, t.published(minCell)})
	}
	return out
}

// attack narrows what a count can have been in each month, from all releases, until
// nothing changes: from what is printed of it, from sums, and from counts never
// falling. The last row is the total.
func attack(all []release, minCell int, sum Sum, read func(Cell, int) bin) [][]bin {
	rows := len(all[0].exact.Rows)
	known := make([][]bin, len(all))
	for m, r := range all {
		for i := range rows {
			known[m] = append(known[m], read(r.printed.Rows[i][1], minCell))
		}
		known[m] = append(known[m], read(r.printed.Total[1], minCell))
		if r.printed.Total[1].Withheld && all[m].exact.Total[1].N >= int64(minCell) { // it is known that a total is not small
			known[m][rows] = bin{0, 1 << 40}
		}
		hidden := true
		for i := range rows {
			hidden = hidden && r.printed.Rows[i][1].Withheld
		}
		if hidden { // all of them were withheld, perhaps for the total's sake
			for i := range rows {
				known[m][i].hi = 1 << 40
			}
		}
	}
	for changed := true; changed; {
		changed = false
		narrow := func(b *bin, lo, hi int64) {
			if lo > b.lo || hi < b.hi {
				*b, changed = bin{max(lo, b.lo), min(hi, b.hi)}, true
			}
		}
		for m := range known {
			for i := range known[m] {
				if m > 0 {
					narrow(&known[m][i], known[m-1][i].lo, 1<<40)
					narrow(&known[m-1][i], 0, known[m][i].hi)
				}
			}
			var lo, hi int64
			for _, b := range known[m][:rows] {
				lo, hi = lo+b.lo, hi+b.hi
			}
			total := &known[m][rows]
			narrow(total, 0, hi)
			if sum == Adds {
				narrow(total, lo, 1<<40)
			}
			for i := range rows {
				b := &known[m][i]
				narrow(b, total.lo-(hi-b.hi), total.hi)
				if sum == Adds {
					narrow(b, 0, total.hi-(lo-b.lo))
				}
			}
		}
	}
	return known
}

// printedBin is what a reader of a published report knows of a count.
func printedBin(c Cell, minCell int) bin {
	if c.Withheld {
		return bin{0, int64(minCell) - 1}
	}
	return binOf(c.N, minCell)
}

// exactBin is what a reader knows of a report in which only small cells are left out.
func exactBin(c Cell, minCell int) bin {
	if c.Withheld {
		return bin{0, int64(minCell) - 1}
	}
	return bin{c.N, c.N}
}

func TestNoCountIsToldCloserThanToThreeValues(t *testing.T) {
	totals, printed, rowsPrinted := 0, 0, 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 2))
		minCell, rows := 3+rng.IntN(18), 1+rng.IntN(12)
		sum, keep := Adds, rng.IntN(2) == 0
		if rng.IntN(3) == 0 {
			sum, keep = Overlap, false
		}
		all := months(rng, minCell, rows, sum, keep)
		for m, month := range attack(all, minCell, sum, printedBin) {
			for i, b := range month {
				truth := all[m].exact.Total[1].N
				if i < rows {
					truth = all[m].exact.Rows[i][1].N
				}
				if b.hi-b.lo+1 < leastWidth || truth < b.lo || truth > b.hi {
					t.Fatalf("seed %d, smallest cell %d, month %d, row %d of %d: %d is told to be %d to %d", seed, minCell, m, i, rows, truth, b.lo, b.hi)
				}
			}
			totals++
			if !all[m].printed.Total[1].Withheld {
				printed++
			}
			if !all[m].printed.Rows[0][1].Withheld {
				rowsPrinted++
			}
		}
	}
	t.Logf("of %d releases %d print the total, %d the first row", totals, printed, rowsPrinted)
	if printed < totals/2 || rowsPrinted < totals/4 {
		t.Errorf("of %d releases only %d print the total and %d the first row", totals, printed, rowsPrinted)
	}
}

// TestTheAttackSeesWhatExactTotalsTell is the negative control: with small cells
// left out and nothing else done, many are told exactly.
func TestTheAttackSeesWhatExactTotalsTell(t *testing.T) {
	told := 0
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 2))
		all := months(rng, 11, 1+rng.IntN(12), Adds, false)
		for m := range all {
			p := all[m].exact
			p.Rows, p.Total = nil, []Cell{{}, all[m].exact.Total[1]}
			for _, row := range all[m].exact.Rows {
				c := row[1]
				if c.N < 11 {
					c = Cell{Withheld: true}
				}
				p.Rows = append(p.Rows, []Cell{{}, c})
			}
			all[m].printed = p
		}
		for m, month := range attack(all, 11, Adds, exactBin) {
			for i, b := range month[:len(month)-1] {
				if all[m].printed.Rows[i][1].Withheld && b.hi-b.lo+1 < leastWidth {
					told++
				}
			}
		}
	}
	if told < 100 {
		t.Errorf("the attack told only %d small counts", told)
	}
}

func TestSmallCountsAndWhatTellsThemAreWithheld(t *testing.T) {
	columns := []Column{{Kind: People}, {Kind: Share}, {Kind: Middle}, {Kind: Open}, {Kind: Number}, {Kind: Word}}
	for name, tc := range map[string]struct{ in, want []Cell }{
		"large": {
			[]Cell{number(64), share(40, 64), middle(3.4, 20), number(3), number(3), word("x")},
			[]Cell{{N: 60}, {N: 40, Of: 60}, {Value: 3, Of: 20}, {Withheld: true}, {N: 3}, word("x")},
		},
		"small": {
			[]Cell{number(10), share(10, 64), middle(3.4, 10), number(300), number(0), word("x")},
			[]Cell{{Withheld: true}, {Withheld: true}, {Withheld: true}, {Withheld: true}, {N: 0}, word("x")},
		},
		"nearly all": {
			[]Cell{number(11), share(63, 64), middle(3.5, 11), number(0), number(0), word("x")},
			[]Cell{{N: 11}, {N: 60, Of: 60}, {Value: 4, Of: 11}, {Withheld: true}, {N: 0}, word("x")},
		},
		"none": {
			[]Cell{number(0), share(0, 0), middle(0, 0), number(0), number(0), word("x")},
			[]Cell{{Withheld: true}, {Withheld: true}, {Withheld: true}, {Withheld: true}, {N: 0}, word("x")},
		},
	} {
		for i, got := range publishedRow(columns, tc.in, 11) {
			if got != tc.want[i] {
				t.Errorf("%s, %s: %+v, want %+v", name, columns[i].Kind, got, tc.want[i])
			}
		}
	}
	found := Table{Found: true, Columns: columns[:1], Rows: [][]Cell{{number(10)}, {number(11)}}}.published(11)
	if len(found.Rows) != 1 || found.Rows[0][0].N != 11 {
		t.Errorf("rows that were found: %+v", found.Rows)
	}
	two := []Column{{Kind: Word}, {Kind: People}, {Kind: People}, {Kind: Number}}
	found = Table{Found: true, Columns: two, Rows: [][]Cell{
		{word("a"), number(0), number(64), number(7)}, {word("b"), number(10), number(0), number(7)}, {word("c"), number(11), number(12), number(7)},
	}}.published(11)
	if len(found.Rows) != 2 || found.Rows[0][0].Text.EN != "a" || !found.Rows[0][1].Withheld || found.Rows[0][2].N != 60 || found.Rows[1][0].Text.EN != "c" {
		t.Errorf("rows of which one count is small: %+v", found.Rows)
	}
}

func TestBinsAreWideAndLeaveNothingOut(t *testing.T) {
	for minCell := 3; minCell <= 20; minCell++ {
		for n, next := int64(0), int64(0); n < 200; n++ {
			b := binOf(n, minCell)
			if n < b.lo || n > b.hi || b.hi-b.lo+1 < leastWidth || b != binOf(b.lo, minCell) || b != binOf(b.hi, minCell) {
				t.Errorf("%d with a smallest cell of %d: %+v", n, minCell, b)
			}
			if n == next && b.lo != n {
				t.Errorf("%d with a smallest cell of %d: %+v begins before", n, minCell, b)
			}
			next = b.hi + 1
		}
	}
}
