package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/act"
)

func TestOwnQuotasAreChangedOneByOne(t *testing.T) {
	now := []act.Quota{{Hospital: 2, Elements: 7}, {Hospital: 5, Elements: 9}}
	for name, tc := range map[string]struct {
		said  []string
		want  []act.Quota
		words string // of the refusal
	}{
		"nothing said":         {nil, now, ""},
		"one more and another": {[]string{"3=20", "5=1"}, []act.Quota{{Hospital: 2, Elements: 7}, {Hospital: 3, Elements: 20}, {Hospital: 5, Elements: 1}}, ""},
		"one taken away":       {[]string{"2=0"}, now[1:], ""},
		"for everybody":        {[]string{"500"}, nil, "want NUMBER=PERSONS"},
		"a node's name":        {[]string{"h2=5"}, nil, "want NUMBER=PERSONS"},
		"a number twice":       {[]string{"2=5", "2=6"}, nil, "the same was said before"},
		"too many persons":     {[]string{"2=100001"}, nil, "want 0 to 100000 persons a day"},
		"no number of persons": {[]string{"2=many"}, nil, "want 0 to 100000 persons a day"},
		"nobody's number":      {[]string{"0=5"}, nil, "want NUMBER=PERSONS"},
		"a number with a zero": {[]string{"02=5"}, nil, "want NUMBER=PERSONS"},
	} {
		got, err := changedQuotas(now, tc.said)
		if tc.words == "" && (err != nil || !slices.Equal(got, tc.want)) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, tc.want)
		}
		if tc.words != "" && (err == nil || !strings.Contains(err.Error(), tc.words)) {
			t.Errorf("%s: %v, want a refusal that says %q", name, err, tc.words)
		}
	}
	if now[0].Elements != 7 {
		t.Error("what was in force changed")
	}
}
