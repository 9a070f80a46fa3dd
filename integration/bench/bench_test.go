package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for name, c := range map[string]struct {
		values []int
		q      float64
		want   int
	}{
		"one value is every quantile":        {[]int{7}, 0.99, 7},
		"the median of three is the middle":  {[]int{9, 1, 4}, 0.5, 4},
		"the 99th of 100 is the largest":     {hundred, 0.99, 100},
		"the values need not come in order":  {[]int{3, 2, 1}, 0, 1},
		"a quantile of one does not overrun": {[]int{3, 2, 1}, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			if got := quantile(c.values, c.q); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestMedianOfAnEvenNumberIsTheMeanOfTheMiddle(t *testing.T) {
	if got := median([]float64{8, 1, 2, 4}); got != 3 {
		t.Errorf("got %g, want 3", got)
	}
	if got := median([]float64{8, 1, 2}); got != 2 {
		t.Errorf("got %g, want 2", got)
	}
}

func TestResultsCompareRoundByRound(t *testing.T) {
	r := newResults(options{})
	for i, rate := range []float64{500, 900, 300} {
		r.add("raresync: rate", "/s", rate)
		r.add("raw: rate", "/s", []float64{1000, 1000, 1000}[i])
	}
	r.relate()
	var table bytes.Buffer
	r.print(&table)
	if got := r.values("raresync by raw: rate"); len(got) != 3 || got[1] != 0.9 {
		t.Errorf("ratios %v, want those of each round", got)
	}
	lines := slices.Collect(strings.Lines(table.String()))
	want := []string{"0.5", "0.3", "0.9", "3", "x", "raresync", "by", "raw:", "rate", "[reached:", "at", "least", "0.5]"}
	if got := strings.Fields(lines[3]); !slices.Equal(got, want) {
		t.Errorf("the table says %q, want median and spread %q", got, want)
	}
	if got := r.values("raresync by etcd's 64 KiB values"); got != nil {
		t.Errorf("a ratio to what was not measured: %v", got)
	}
}

func TestParseStatSkipsTheName(t *testing.T) {
	stat := "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 17 25 1 1 20 0 9\n"
	if got, err := parseStat([]byte(stat)); err != nil || got != 42 {
		t.Errorf("got %d, %v, want 17+25", got, err)
	}
	for _, bad := range []string{"", "no parenthesis", "1 (x) S 1 2", "1 (x) S 1 2 3 4 5 6 7 8 9 10 many 25 1"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestPutRequestIsProtobuf(t *testing.T) {
	got := grpcMessage(putRequest([]byte("k"), bytes.Repeat([]byte{0xee}, 200)))
	want := "00000000ce" + "0a016b" + "12c801" + strings.Repeat("ee", 200)
	if hex.EncodeToString(got) != want {
		t.Errorf("got %x", got)
	}
}

func TestSpreadOverGivesEverythingOut(t *testing.T) {
	total := 0
	for _, n := range spreadOver(2203, 11) {
		if n < 200 || n > 201 {
			t.Errorf("a client with %d of 2203 values for 11", n)
		}
		total += n
	}
	if total != 2203 {
		t.Errorf("%d values given out", total)
	}
}

func TestAGoalIsOfTheMedianOrOfTheWorst(t *testing.T) {
	for name, tc := range map[string]struct {
		goal    goal
		values  []float64
		reached bool
	}{
		"the median counts":                     {goal{limit: 3, atMost: true}, []float64{1, 3, 9}, true},
		"a median beyond it":                    {goal{limit: 3, atMost: true}, []float64{1, 4, 4}, false},
		"the worst of what should be little":    {goal{limit: 3, atMost: true, worst: true}, []float64{1, 3, 9}, false},
		"a median that should be much":          {goal{limit: 3}, []float64{1, 3, 9}, true},
		"the worst of what should be much":      {goal{limit: 3, worst: true}, []float64{2, 3, 9}, false},
		"the worst of what should be much, met": {goal{limit: 2, worst: true}, []float64{2, 3, 9}, true},
	} {
		r := newResults(options{})
		for _, v := range tc.values {
			r.add("figure", "", v)
		}
		if got := tc.goal.reached(r.Series[0]); got != tc.reached {
			t.Errorf("%s: reached is %v", name, got)
		}
	}
}

func TestEveryGoalIsShownOrNamedAsNotMeasured(t *testing.T) {
	r := newResults(options{})
	if missing := len(r.unmeasured()); missing == 0 || missing > len(goals) {
		t.Errorf("%d of %d goals are not measured in an empty run", missing, len(goals))
	}
	r.add(failoverFigure, "ms", 4300)
	r.add(failoverFigure, "ms", 7100)
	if v := verdict(r.Series[0]); v != "MISSED: at most 4400 ms; MISSED: at most 7000 ms in the worst" {
		t.Errorf("the verdict is %q", v)
	}
	if slices.Contains(r.unmeasured(), failoverFigure) {
		t.Error("a figure that was measured is called missing")
	}
}

func TestChooseKnowsTheParts(t *testing.T) {
	if got, err := choose("scale,failover"); err != nil || !slices.Equal(got, []string{"scale", "failover"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := choose("scale,everything"); err == nil {
		t.Error("a part that is none was taken")
	}
}

func TestAWindowEndsWithItsTime(t *testing.T) {
	const limit = 20 * time.Millisecond
	w, err := measureWindow(t.Context(), nil, []int{endless, 3}, limit, func(ctx context.Context, client, i int) error {
		pause(ctx, time.Millisecond)
		return nil
	})
	if err != nil || w.elapsed < limit || w.done[1] > 3 || w.values != w.done[0]+w.done[1] || len(w.commits) != w.values {
		t.Errorf("%d values in %s, %v by client, %v", w.values, w.elapsed, w.done, err)
	}
}
