package jsontree

import (
	"encoding/json"
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

// What parses is JSON to the standard library too, with the same content, and
// its canonical form parses to itself.
func FuzzWhatParsesIsJSONAndItsCanonicalFormParsesToItself(f *testing.F) {
	for _, seed := range []string{`{"a":[1.50,"\ud83e\uddec",null]}`, `"\ud800"`, `[01]`, `{"a":1,"a":2}`, strings.Repeat("[", 70), ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := Parse(in, limits)
		if err != nil {
			return
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
