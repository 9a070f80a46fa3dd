package jsontree

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

var limits = Limits{Depth: 64, Values: 10_000, Members: 100, TextBytes: 1000}

func TestTextsAndNumbersAreReadAsWritten(t *testing.T) {
	for in, want := range map[string]string{
		`"\u7f55\u89c1病"`:                      `"罕见病"`,
		`"\ud83e\uddec"`:                       `"🧬"`,
		`"\"\\\/\b\f\n\r\t\u0001"`:             `"\"\\/\u0008\u000c\n\u000d\t\u0001"`,
		`{"b":1,"a":{"d":[],"c":{}}}`:          `{"a":{"c":{},"d":[]},"b":1}`,
		` [ 1.50 , -0 , 1E+5 , true , null ] `: `[1.50,-0,1E+5,true,null]`,
	} {
		v, err := Parse([]byte(in), limits)
		if err != nil || string(v.Canonical()) != want {
			t.Errorf("%s: got %s, %v; want %s", in, v.Canonical(), err, want)
		}
	}
}

// Every number of up to six of these characters is valid as the standard library
// says.
func TestNumbersAreTheStandards(t *testing.T) {
	var all func(s string)
	all = func(s string) {
		if got, want := ValidNumber(s), s != "" && json.Valid([]byte(s)); got != want {
			t.Errorf("%q: %v", s, got)
		}
		if len(s) < 6 {
			for _, c := range "01-+.eE" {
				all(s + string(c))
			}
		}
	}
	all("")
	if ValidNumber(strings.Repeat("1", maxNumberBytes+1)) {
		t.Error("an overlong number is valid")
	}
}

// reduced is v with only some of its members.
func reduced(v *Value, keep map[string]bool) *Value {
	out := &Value{Kind: v.Kind, Text: v.Text}
	for i, item := range v.Items {
		if v.Kind == Object && !keep[v.Names[i]] {
			continue
		}
		if v.Kind == Object {
			out.Names = append(out.Names, v.Names[i])
		}
		out.Items = append(out.Items, reduced(item, keep))
	}
	return out
}

func TestAnObjectOfManyNamesHasNoneTwice(t *testing.T) {
	for n := range 100 {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":{"a":%d},`, i, i)
		}
		once, twice := "{"+b.String()+`"x":[]}`, "{"+b.String()+`"k0":[],"x":[]}`
		for _, l := range []Limits{limits, {Depth: 64, Values: 10_000, Members: 100, TextBytes: 1000, Keep: map[string]bool{}}} {
			if v, err := Parse([]byte(once), l); err != nil || l.Keep == nil && len(v.Names) != n+1 {
				t.Errorf("%d names: %v", n, err)
			}
			if _, err := Parse([]byte(twice), l); n > 0 && err == nil {
				t.Errorf("%d names and the first once more are accepted", n)
			}
		}
	}
}

// What parses is JSON to the standard library too, with the same content, and
// its canonical form parses to itself.
func FuzzWhatParsesIsJSONAndItsCanonicalFormParsesToItself(f *testing.F) {
	for _, seed := range []string{`{"a":[1.50,"\ud83e\uddec",null]}`, `"\ud800"`, `[01]`, `{"a":1,"a":2}`, `{"b":{"c":1,"c":2}}`, `{"b":{"c":[1,{"a":-}]},"a":{"b":0,"a":[]}}`, strings.Repeat("[", 70), ``} {
		f.Add([]byte(seed))
	}
	only := limits
	only.Keep = map[string]bool{"a": true}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := Parse(in, limits)
		less, bad := Parse(in, only)
		if fmt.Sprint(err) != fmt.Sprint(bad) {
			t.Fatalf("with some members left out: %v, with all: %v", bad, err)
		}
		if err != nil {
			return
		}
		if !less.Equal(reduced(v, only.Keep)) {
			t.Fatalf("kept %s of %s", less.Canonical(), v.Canonical())
		}
		if !json.Valid(in) {
			t.Fatalf("accepted what is not JSON: %q", in)
		}
		form := v.Canonical()
		again, err := Parse(form, limits)
		if err != nil || !again.Equal(v) || string(again.Canonical()) != string(form) {
			t.Fatalf("%s does not parse to itself: %v", form, err)
		}
	})
}
