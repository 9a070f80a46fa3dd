package view

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// recount counts the indicators again, from decoded entries and by walking them, as
// docs/DATA-DICTIONARY.md defines them.
type recount struct {
	entries []counted
	today   int
	parent  map[[32]byte][32]byte
}

type counted struct {
	reader.Opened
	stopped entry.Scope
	at      time.Time
	person  [32]byte
	named   bool
}

func (w *world) recount(r *reader.Reader) *recount {
	w.t.Helper()
	changes, err := w.fresh(r)
	must(w.t, err)
	c := &recount{parent: map[[32]byte][32]byte{}}
	for o, err := range r.Entries(w.t.Context(), 0, 0) {
		must(w.t, err)
		one := counted{Opened: o, at: time.UnixMilli(int64(o.LogTime)).In(time.FixedZone("", 8*3600))}
		one.Entry = changes.Correct(o)
		for bit := range 6 {
			if changes.Stopped(o.Hospital, o.Index, 1<<bit) {
				one.stopped |= 1 << bit
			}
		}
		c.entries = append(c.entries, one)
	}
	c.join()
	c.today = day(time.UnixMilli(int64(w.m.View().LogTime)).In(time.FixedZone("", 8*3600)))
	return c
}

// fresh are the changes as a reader has them that was just made.
func (w *world) fresh(r *reader.Reader) (*reader.Changes, error) {
	c := &reader.Changes{}
	for o, err := range r.Entries(w.t.Context(), 0, 0) {
		if err != nil {
			return nil, err
		}
		c.Add(o)
	}
	return c, nil
}

func day(t time.Time) int {
	return int(math.Floor(float64(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix()) / 86400))
}

func dayOfDate(d entry.Date) int {
	return day(time.Date(int(d.Year), time.Month(d.Month), int(d.Day), 0, 0, 0, 0, time.UTC))
}

func (c *recount) root(p [32]byte) [32]byte {
	for {
		up, ok := c.parent[p]
		if !ok || up == p {
			return p
		}
		p = up
	}
}

func (c *recount) live(o counted) bool { return o.stopped&1 == 0 && o.Problem == "" }

// join follows links in the order of the log. A hospital may link what it has an
// entry of.
func (c *recount) join() {
	at := map[string]bool{}
	size := map[[32]byte]int{}
	for _, o := range c.entries {
		if c.live(o) && o.Entry.Pseudonym.Present && o.Entry.Any() {
			at[fmt.Sprint(o.Hospital, o.Entry.Pseudonym.Value)] = true
		}
	}
	for _, o := range c.entries {
		a := o.Entry.Alias
		if !c.live(o) || a == nil || !at[fmt.Sprint(o.Hospital, a.Old)] && !at[fmt.Sprint(o.Hospital, a.New)] {
			continue
		}
		x, y := c.root(a.Old), c.root(a.New)
		if x == y || max(size[x], 1)+max(size[y], 1) > reader.MostPseudonyms {
			continue
		}
		size[x] = max(size[x], 1) + max(size[y], 1)
		c.parent[y] = x
	}
	for i := range c.entries {
		if p := c.entries[i].Entry.Pseudonym; p.Present {
			c.entries[i].person, c.entries[i].named = c.root(p.Value), true
		}
	}
}

// tally is what an indicator comes to.
type tally struct {
	num, den int64
	values   []int64
}

// members are sets of persons, or counts, of one group.
type members map[[32]byte]bool

// count takes one indicator of the entries that choose lets through.
func (c *recount) count(id string, by func(counted) bool, in func(counted) bool) (out tally) {
	add := func(yes bool) {
		out.den++
		if yes {
			out.num++
		}
	}
	duty := dayOfDate(Duty())
	dead, seen, lost, sampled := members{}, members{}, members{}, members{}
	newest := map[[32]byte]counted{}
	for _, o := range c.entries {
		if !c.live(o) || !o.named {
			continue
		}
		e := o.Entry
		switch {
		case e.Death != nil, e.Case != nil && e.Case.Life.Status == entry.Dead:
			dead[o.person] = true
		case e.FollowUp != nil && e.EventDate.Precision() == entry.PrecisionDay:
			if dayOfDate(e.EventDate) > c.today-365 {
				seen[o.person] = true
			}
			was, ok := newest[o.person]
			if !ok || dayOfDate(was.Entry.EventDate) <= dayOfDate(e.EventDate) {
				newest[o.person] = o
			}
		case e.Specimen != nil && o.stopped&8 == 0:
			sampled[o.person] = true
		}
	}
	for p, o := range newest {
		lost[p] = o.Entry.FollowUp.Vital == entry.Lost
	}
	persons, best, first := members{}, map[[32]byte]entry.Strength{}, map[[32]byte]int{}
	hospitals := map[[32]byte]map[uint32]bool{}
	repeated := map[string]int64{}
	on, lacks := members{}, members{}
	for _, o := range c.entries {
		e, mine := o.Entry, by(o) && in(o)
		if e.Treatment != nil && c.live(o) && mine && o.named && o.stopped&16 == 0 {
			on[o.person] = on[o.person] || e.Treatment.Status == entry.TreatmentStarted
			lacks[o.person] = lacks[o.person] || e.Treatment.Status == entry.TreatmentNotAccessible
		}
		switch {
		case id == "Q14" && mine && e.Case != nil:
			add(o.stopped == 0)
		case id == "Q16" && mine && c.live(o) && e.Correction != nil:
			out.num++
		case id == "Q16" && mine && c.live(o) && e.Any():
			out.den++
		case id == "Q4" && mine && c.live(o) && e.Intake != nil:
			for _, f := range e.Intake.Offered {
				out.num, out.den = out.num+int64(f.Refused), out.den+int64(f.Accepted)+int64(f.Changed)+int64(f.Known)+int64(f.Refused)
			}
		case id == "Q15.recent" && by(o):
			switch age := c.today - day(o.at); {
			case age < 30:
				out.num += 3
			case age < 120:
				out.den++
			}
		case id == "Q15.silent" && by(o):
			out.values = []int64{int64(c.today - day(o.at))}
		}
		if e.Case == nil || !c.live(o) {
			continue
		}
		if o.named && in(o) {
			if hospitals[o.person] == nil {
				hospitals[o.person] = map[uint32]bool{}
			}
			hospitals[o.person][o.Hospital] = true
		}
		if by(o) && o.named {
			if d, ok := first[o.person]; !ok || day(o.at) < d {
				first[o.person] = day(o.at)
			}
		}
		if !mine {
			continue
		}
		if o.named {
			persons[o.person] = true
			if was := best[o.person]; e.Strength > 0 && (was == 0 || e.Strength < was) {
				best[o.person] = e.Strength
			}
		}
		c.countCase(id, o, duty, add, &out, repeated)
	}
	switch id {
	case "Q6.elsewhere":
		for p := range persons {
			add(len(hospitals[p]) > 1)
		}
	case "Q6.duplicates":
		for _, n := range repeated {
			out.num, out.den = out.num+n-1, out.den+n
		}
	case "Q7":
		for _, s := range best {
			add(s > entry.StrengthStrong)
		}
	case "Q11.seen", "Q11.lost":
		for p, d := range first {
			if d <= c.today-365 && !dead[p] {
				add(map[string]members{"Q11.seen": seen, "Q11.lost": lost}[id][p])
			}
		}
	case "Q12":
		for p := range persons {
			add(sampled[p])
		}
	case "Q13.reached":
		treated := map[entry.Row]bool{}
		for _, o := range c.entries {
			if t := o.Entry.Treatment; t != nil && c.live(o) && o.named && o.stopped&16 == 0 && (t.Status == entry.TreatmentStarted || t.Status == entry.TreatmentStopped) {
				for _, r := range c.rowsOf(func(k counted) bool { return k.Hospital == o.Hospital && k.Entry.ID == o.Entry.BelongsTo() }) {
					treated[r] = true
				}
			}
		}
		for p := range persons {
			mine := c.rowsOf(func(k counted) bool { return k.named && k.person == p && by(k) && in(k) })
			if slices.ContainsFunc(mine, func(r entry.Row) bool { return treated[r] }) {
				add(on[p])
			}
		}
	case "Q13.treated", "Q13.lacking":
		for p := range on {
			add(map[string]members{"Q13.treated": on, "Q13.lacking": lacks}[id][p])
		}
	}
	slices.Sort(out.values)
	return out
}

// rowsOf are the rows of the lists of those registrations in use.
func (c *recount) rowsOf(which func(counted) bool) (rows []entry.Row) {
	for _, o := range c.entries {
		if o.Entry.Case != nil && c.live(o) && which(o) {
			d, _ := o.Entry.Case.Principal()
			rows = append(rows, d.Resolve(catalog.Current()).Counted()...)
		}
	}
	return rows
}

// countCase counts one registration.
func (c *recount) countCase(id string, o counted, duty int, add func(bool), out *tally, repeated map[string]int64) {
	e := o.Entry
	k := e.Case
	d, given := k.Principal()
	rows := d.Resolve(catalog.Current()).Counted()
	diagnosed, known := 0, e.EventDate.Precision() == entry.PrecisionDay
	if known {
		diagnosed = dayOfDate(e.EventDate)
	}
	delay, delayed := delayAgain(d, e)
	late := int64(max(day(o.at)-diagnosed, 0))
	switch id {
	case "Q1":
		need, missing := fieldsAgain(o)
		out.num, out.den = out.num+int64(need-missing), out.den+int64(need)
	case "Q2.features":
		add(slices.ContainsFunc(k.Features, func(f entry.Feature) bool { return !f.Excluded }))
	case "Q2.genetics":
		add(slices.ContainsFunc(c.entries, func(g counted) bool {
			return c.live(g) && g.Hospital == o.Hospital && g.Entry.Genetics != nil && g.Entry.Genetics.Case == e.ID &&
				slices.Contains([]entry.Result{entry.Causative, entry.Negative, entry.Uncertain}, g.Entry.Genetics.Outcome())
		}))
	case "Q2.onset":
		add(d.Onset.Given())
	case "Q2.contact":
		add(k.FirstContact.Known())
	case "Q3.median", "Q3.p90":
		if known && diagnosed >= duty {
			out.values = append(out.values, late)
		}
	case "Q3.in7", "Q3.in30":
		if known && diagnosed >= duty {
			add(late <= map[string]int64{"Q3.in7": 7, "Q3.in30": 30}[id])
		}
	case "Q3.retrospective":
		if known {
			add(diagnosed < duty)
		}
	case "Q5":
		add(slices.ContainsFunc(rulesAgain(o), func(f rule.Finding) bool { return f.Severity == rule.Q }))
	case "Q6.duplicates":
		for _, r := range rows {
			if o.named {
				repeated[fmt.Sprint(o.Hospital, o.person, r)]++
			}
		}
	case "Q8":
		if given {
			add(len(rows) > 0 || slices.Contains(d.Codes, "ORPHA:999999"))
		}
	case "Q9.median":
		if delayed {
			out.values = append(out.values, delay)
		}
	case "Q9.over4y":
		if delayed {
			add(delay > 48)
		}
	case "Q10":
		if slices.ContainsFunc(rows, func(r entry.Row) bool {
			d, _ := catalog.Current().ByNumber(int(r.List), int(r.Number))
			return len(d.OMIM) > 0
		}) {
			add(k.Verification == entry.Genetic)
		}
	}
}

func rulesAgain(o counted) []rule.Finding {
	return slices.DeleteFunc(validate.Entries(validate.Context{Today: entry.DateOf(o.at), Catalog: catalog.Current()}, o.Entry), func(f rule.Finding) bool {
		return slices.Contains([]string{"GN002", "ST001", "CN001", "CN002", "CN003", "PH002"}, f.Code)
	})
}

// fieldsAgain looks at the fields themselves.
func fieldsAgain(o counted) (need, missing int) {
	k, e := o.Entry.Case, o.Entry
	ask := func(given bool) {
		need++
		if !given {
			missing++
		}
	}
	if e.Profile == entry.Published {
		ask(k.Published())
		return need, missing
	}
	ask(k.Verification != entry.VerificationNotGiven)
	ask(k.Sex != entry.SexNotGiven && k.Sex != entry.SexUnknown)
	ask(k.Birth.Precision() >= entry.PrecisionMonth)
	if d, ok := k.Principal(); ok {
		ask(e.EventDate.Known())
		ask(d.Onset.Given())
	}
	ask(k.Life.Status != entry.VitalNotGiven)
	ask(k.Department != "")
	ask(k.Province != "")
	if e.Profile == entry.Cohort {
		ask(slices.ContainsFunc(k.Features, func(f entry.Feature) bool { return !f.Excluded }))
		ask(k.FirstContact.Known())
		ask(k.FamilyHistory != entry.AnswerNotGiven)
	}
	return need, missing
}

// delayAgain reads the three kinds of onset that the world has.
func delayAgain(d entry.Disease, e entry.Entry) (months int64, ok bool) {
	birth := e.Case.Birth
	month := func(d entry.Date) int64 { return int64(d.Year)*12 + int64(d.Month) }
	onset := int64(0)
	switch d.Onset.Kind {
	case entry.WhenAge:
		var y, m int64
		if _, err := fmt.Sscanf(d.Onset.A, "P%dY%dM", &y, &m); err != nil || !birth.Known() {
			return 0, false
		}
		onset = month(entry.Date{Year: birth.Year, Month: max(birth.Month, 1)}) + 12*y + m
	case entry.WhenAtBirth:
		if !birth.Known() {
			return 0, false
		}
		onset = month(entry.Date{Year: birth.Year, Month: max(birth.Month, 1)})
	case entry.WhenDate:
		onset = month(entry.Date{Year: 2015, Month: 3})
	default:
		return 0, false
	}
	if e.EventDate.Precision() < entry.PrecisionMonth || month(e.EventDate) < onset {
		return 0, false
	}
	return month(e.EventDate) - onset, true
}

func TestIndicatorsEqualAnIndependentRecount(t *testing.T) {
	w := newWorld(t, 7)
	national := w.view(w.Reader, nil)
	own := w.view(w.Hospitals[1], nil)
	w.live(100)
	thisMonth := MonthOf(entry.DateOf(time.UnixMilli(int64(w.m.View().LogTime)).In(china)))
	shown := map[string]int{}
	for name, v := range map[string]*View{"reader": national, "hospital": own} {
		c := w.recount(v.cfg.Reader)
		must(t, v.Read(t.Context(), func(q Query) error {
			if q.Head.Root != w.m.View().Tree.Root() || q.Head.Size != w.m.View().Tree.Size() || q.Head.Unopened != 0 {
				t.Errorf("%s: head %+v is not the log's", name, q.Head)
			}
			for _, p := range []Period{{}, {thisMonth - 2, thisMonth - 2}, {thisMonth - 11, thisMonth}} {
				for _, i := range Indicators() {
					for _, by := range []By{ByHospital, ByProvince, ByNation} {
						got, err := q.Figures(i, by, p)
						must(t, err)
						c.compare(t, name, i, by, p, got, shown)
					}
				}
			}
			return nil
		}))
	}
	for _, i := range Indicators() {
		if shown[i.ID] == 0 {
			t.Errorf("%s was never shown: the recount says nothing of it", i.ID)
		}
	}
}

func (c *recount) compare(t *testing.T, name string, i Indicator, by By, p Period, got map[string]Figure, shown map[string]int) {
	t.Helper()
	in := func(o counted) bool {
		m := Month(o.at.Year()*12 + int(o.at.Month()) - 1)
		return p == (Period{}) || m >= p.From && m <= p.To
	}
	groups := map[By][]string{ByHospital: {"1", "2", "3"}, ByProvince: {"11", "31"}, ByNation: {""}}[by]
	for _, g := range groups {
		want := c.count(i.ID, func(o counted) bool {
			province := map[bool]string{false: "11", true: "31"}[o.Hospital == 3]
			return by == ByNation || by == ByHospital && strconv.Itoa(int(o.Hospital)) == g || by == ByProvince && province == g
		}, in)
		f := got[g]
		if want.den == 0 { // nothing to count
			want.num = 0
		}
		if f.Shown {
			shown[i.ID]++
		}
		if i.Quantile() {
			value := int64(0)
			if n := len(want.values); n > 0 {
				share := map[string]float64{"Q3.p90": 0.9, "Q15.silent": 1}[i.ID]
				if share == 0 {
					share = 0.5
				}
				value = want.values[int(math.Ceil(share*float64(n)))-1]
			}
			if f.Den != int64(len(want.values)) || f.Value != float64(value) {
				t.Errorf("%s: %s of %s %q, %v: %v of %d, want %d of %d", name, i.ID, by, g, p, f.Value, f.Den, value, len(want.values))
			}
			continue
		}
		if f.Num != want.num || f.Den != want.den {
			t.Errorf("%s: %s of %s %q, %v: %d of %d, want %d of %d", name, i.ID, by, g, p, f.Num, f.Den, want.num, want.den)
		}
	}
}
