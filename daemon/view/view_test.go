package view

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/entry"
)

// dump is all that a view's tables hold, rows in one order. Numbers of subjects are
// left out: they follow from the order in which entries came.
func dump(t *testing.T, v *View) string {
	t.Helper()
	var b strings.Builder
	must(t, v.Read(t.Context(), func(q Query) error {
		for _, query := range []string{
			`SELECT e.idx, envelope, hospital, log_time, day, month, type, profile, source, basis, strength, hex(s.pseudonym), hex(p.pseudonym),
				hex(e.id), event, event_month, corrected, corrects, stopped, problem, doubtful
				FROM entries e LEFT JOIN subjects s ON s.id = e.subject LEFT JOIN subjects p ON p.id = e.person ORDER BY e.idx`,
			`SELECT * FROM cases ORDER BY idx`, `SELECT * FROM case_rows ORDER BY idx`, `SELECT * FROM genetics ORDER BY idx`,
			`SELECT * FROM visits ORDER BY idx`, `SELECT * FROM specimens ORDER BY idx`, `SELECT * FROM treatments ORDER BY idx`,
			`SELECT * FROM deaths ORDER BY idx`, `SELECT * FROM referrals ORDER BY idx`, `SELECT * FROM aliases ORDER BY idx`,
			`SELECT * FROM findings ORDER BY idx, code, field`, `SELECT * FROM envelopes ORDER BY number`,
			`SELECT * FROM hospitals ORDER BY number`, `SELECT hex(pseudonym) FROM subjects ORDER BY 1`,
		} {
			rows, err := q.tx.QueryContext(q.ctx, query)
			must(t, err)
			names, err := rows.Columns()
			must(t, err)
			for rows.Next() {
				values := make([]any, len(names))
				for i := range values {
					values[i] = new(any)
				}
				must(t, rows.Scan(values...))
				for _, value := range values {
					fmt.Fprintf(&b, "%v ", *value.(*any))
				}
				b.WriteByte('\n')
			}
			must(t, errors.Join(rows.Err(), rows.Close()))
		}
		return nil
	}))
	return b.String()
}

func TestAViewThatFollowedTheLogIsTheOneBuiltFromIt(t *testing.T) {
	w := newWorld(t, 3)
	followed := w.view(w.Reader, nil)
	for range 12 {
		w.live(6)
		must(t, followed.Read(t.Context(), func(Query) error { return nil }))
	}
	got, want := dump(t, followed), dump(t, w.view(w.Reader, nil))
	if got != want {
		a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d of %d and %d: followed %q, built %q", i, len(a), len(b), a[i], b[i])
			}
		}
		t.Fatalf("followed %d lines, built %d", len(a), len(b))
	}
	if len(got) < 60_000 {
		t.Errorf("only %d bytes were compared", len(got))
	}
}

func TestAnErasedCorrectionGivesTheFirstContentBack(t *testing.T) {
	w := newWorld(t, 5)
	v := w.view(w.Reader, nil)
	h := w.Hospitals[0]
	first := w.registration(person(1))[0]
	index := w.send(h, first)[0]
	before := dump(t, v)
	right := first
	right.Case = &entry.Case{Sex: entry.SexOther, Province: "46"}
	right.Profile = entry.Cohort
	correction, err := entry.Correct([32]byte{1}, index, first, right, entry.Mistyped, [32]byte{})
	must(t, err)
	by := w.send(h, correction)[0]
	if corrected := dump(t, v); !strings.Contains(corrected, " 46 ") {
		t.Errorf("the correction says nothing: %s", corrected)
	}
	w.withdraw(h, by)
	lines := func(s string) (out []string) { // but for envelopes, which stay
		for line := range strings.Lines(s) {
			if strings.Count(line, " ") != 5 {
				out = append(out, line)
			}
		}
		return out
	}
	if after := dump(t, v); !slices.Equal(lines(after), lines(before)) {
		t.Errorf("after the erasure:\n%s\nbefore the correction:\n%s", after, before)
	}
}

// hits counts how often a text stands in the files of a view.
func hits(t *testing.T, v *View, text []byte) (n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(v.cfg.Dir, "*"))
	must(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		must(t, err)
		n += bytes.Count(raw, text)
	}
	return n
}

// erased are the searches for what is erased: a text, a pseudonym and an id.
func erased(t *testing.T, keep bool) (before, after int) {
	w := newWorld(t, 11)
	v := w.view(w.Reader, func(c *Config) { c.Plain, c.KeepErased = true, keep })
	h := w.Hospitals[0]
	for n := range 40 {
		w.send(h, w.registration(person(n))...)
	}
	e := w.blank(entry.TypeTreatment, person(99))
	e.Treatment.Agent.Label = "unheard-of remedy"
	e.Treatment.Status = entry.TreatmentStarted
	index := w.send(h, e)[0]
	for n := range 40 {
		w.send(h, w.registration(person(n))...)
	}
	must(t, v.Read(t.Context(), func(Query) error { return nil }))
	marks := [][]byte{[]byte(e.Treatment.Agent.Label), e.Pseudonym.Value[:], e.ID[:]}
	count := func() (n int) {
		for _, m := range marks {
			if found := hits(t, v, m); found > 0 {
				n++
			}
		}
		return n
	}
	before = count()
	w.withdraw(h, index)
	must(t, v.Forget(t.Context()))
	must(t, v.Read(t.Context(), func(q Query) error {
		n := int64(-1)
		must(t, q.One(`SELECT count(*) FROM entries WHERE idx = ?`, []any{int64(index)}, &n))
		if n != 0 {
			t.Errorf("the erased entry is in the view")
		}
		return nil
	}))
	must(t, v.Forget(t.Context()))
	return before, count()
}

func TestAnErasedEntryLeavesTheFilesOfTheView(t *testing.T) {
	if before, after := erased(t, false); before != 3 || after != 0 {
		t.Errorf("%d of 3 texts were in the files, %d are after the erasure", before, after)
	}
}

func TestTheSearchFindsWhatAViewKeepsThatDoesNotClear(t *testing.T) {
	if before, after := erased(t, true); before != 3 || after == 0 {
		t.Errorf("%d of 3 texts were in the files, %d are after an erasure that clears nothing", before, after)
	}
}

func TestNothingOpenedLiesPlainOnDisk(t *testing.T) {
	w := newWorld(t, 13)
	h := w.Hospitals[0]
	e := w.blank(entry.TypeTreatment, person(1))
	e.Treatment.Agent.Label = "unheard-of remedy"
	w.send(h, e)
	for plain, want := range map[bool]bool{false: false, true: true} {
		v := w.view(w.Reader, func(c *Config) { c.Plain = plain })
		must(t, v.Read(t.Context(), func(Query) error { return nil }))
		found := hits(t, v, []byte("unheard-of remedy")) > 0
		named := hits(t, v, []byte("CREATE TABLE")) > 0
		if found != want || named != want {
			t.Errorf("plain %v: the text found %v, the tables' names %v", plain, found, named)
		}
		if info, err := os.Stat(filepath.Join(v.cfg.Dir, name)); err != nil || info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("the file: %v, %v", info, err)
		}
	}
}

func TestAViewOpensNothingThatItsNodeMayNot(t *testing.T) {
	w := newWorld(t, 17)
	own, national := w.view(w.Hospitals[0], nil), w.view(w.Reader, nil)
	for n := range 10 {
		w.send(w.Hospitals[n%3], w.registration(person(n))...)
	}
	count := func(v *View) (mine, all int64) {
		must(t, v.Read(t.Context(), func(q Query) error {
			return q.One(`SELECT coalesce(sum(hospital = 1), 0), count(*) FROM entries`, nil, &mine, &all)
		}))
		return mine, all
	}
	mine, all := count(own)
	if nationalMine, nationalAll := count(national); mine == 0 || mine != all || nationalMine != mine || nationalAll <= all {
		t.Errorf("the hospital has %d of its own among %d, the reader %d among %d", mine, all, nationalMine, nationalAll)
	}
}

// backfill puts about so many entries into the log, as many in an envelope as fit,
// and returns how many.
func (w *world) backfill(least int) (entries int) {
	w.t.Helper()
	for entries < least {
		var batch []entry.Entry
		for n := 0; len(batch) < 90; n++ {
			batch = append(batch, w.registration(person(entries+n))...)
		}
		w.send(w.Hospitals[w.pick(3)], batch...)
		entries += len(batch)
	}
	return entries
}

func BenchmarkRebuild(b *testing.B) {
	w := newWorld(b, 1)
	entries := w.backfill(30_000)
	b.ResetTimer()
	for b.Loop() {
		v := w.view(w.Reader, nil)
		must(b, v.Read(b.Context(), func(Query) error { return nil }))
	}
	b.ReportMetric(float64(entries*b.N)/b.Elapsed().Seconds(), "entries/s")
}

func TestAMonthlyViewIsTheLogAsItWasWhenTheMonthEnded(t *testing.T) {
	w := newWorld(t, 29)
	live, monthly := w.view(w.Reader, nil), w.view(w.Reader, func(c *Config) { c.Monthly = true })
	if err := monthly.Read(t.Context(), func(Query) error { return nil }); !errors.Is(err, ErrNoMonth) {
		t.Errorf("in the first month: %v", err)
	}
	month := func() Month { return Month(monthOf(w.m.View().LogTime)) }
	var all []sent
	for turns := 0; turns < 3; {
		before, began := dump(t, live), month()
		w.day += 8
		all = append(all, w.live(1)...)
		if month() == began {
			continue
		}
		turns++
		for n := range 9 { // corrected, stopped and linked in the new month
			w.say(all[w.pick(len(all))], all, 100*turns+n, n%3)
		}
		if got := dump(t, monthly); got != before || turns > 1 && len(got) < 1000 {
			t.Errorf("turn %d: the view of complete months is not what the log was when the month ended:\n%s\nwant\n%s", turns, got, before)
		}
		must(t, monthly.Read(t.Context(), func(q Query) error {
			if q.Month != began || q.Head.Root == w.m.View().Tree.Root() || q.Head.Size == 0 {
				t.Errorf("turn %d: it is of %s and size %d, want %s", turns, q.Month, q.Head.Size, began)
			}
			return nil
		}))
	}
	before := dump(t, monthly)
	w.withdraw(all[0].by, all[0].index)
	must(t, monthly.Forget(t.Context()))
	if dump(t, monthly) == before {
		t.Error("what is withdrawn stays in the view of complete months")
	}
}
