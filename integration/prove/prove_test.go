package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

const passing = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: proof: 60 faults of 10 kinds\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:8: seed 5\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`

func TestVerdicts(t *testing.T) {
	for name, tc := range map[string]struct {
		events string
		failed bool
		want   string
	}{
		"a test that passed with a figure":   {passing, false, ""},
		"no test of that name":               {`{"Action":"pass","Package":"p"}`, false, "no test ran"},
		"a test that passed without figures": {`{"Action":"pass","Package":"p","Test":"TestA"}`, false, "no figure printed"},
		"a test beside that failed":          {passing + `{"Action":"fail","Package":"p","Test":"TestB"}`, true, "1 of 2 tests failed"},
		"a test beside that skipped":         {passing + `{"Action":"skip","Package":"p","Test":"TestB"}`, false, "1 of 2 tests skipped"},
		"a package that did not build":       {passing + "# p\np.go:1:1: syntax error\n", true, "go test failed"},
		"the same test in another package":   {passing + `{"Action":"fail","Package":"q","Test":"TestA"}`, true, "1 of 2 tests failed"},
	} {
		t.Run(name, func(t *testing.T) {
			r := readAll(tc.events)
			r.failed = tc.failed
			if got := r.verdict(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func readAll(events string) *result {
	r := &result{tests: map[string]string{}}
	for line := range strings.Lines(events) {
		r.read([]byte(line), io.Discard, io.Discard)
	}
	return r
}

func TestTableEndsWithTheLastFigureOfEachProof(t *testing.T) {
	good, void := readAll(passing), readAll("")
	good.name, good.took, void.name = "chaos", 61*time.Second, "damage"
	var out bytes.Buffer
	if table([]*result{good}, &out) != true || table([]*result{good, void}, &out) {
		t.Error("the verdict of the table is not that of its lines")
	}
	for _, want := range []string{"chaos  1      1m1s  holds    60 faults of 10 kinds", "no test ran"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestChosenByAnyWordOfTheName(t *testing.T) {
	if got := chosen([]string{"cuts", "chaos"}); len(got) != 2 {
		t.Errorf("chose %d proofs, want power cuts and chaos", len(got))
	}
	if len(chosen(nil)) != len(proofs) || chosen([]string{"x"}) != nil {
		t.Error("no word chooses all, a strange one none")
	}
}
