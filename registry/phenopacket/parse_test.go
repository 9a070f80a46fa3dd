package phenopacket

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTextsAndNumbersAreReadAsWritten(t *testing.T) {
	for in, want := range map[string]string{
		`"\u7f55\u89c1病"`:                      `"罕见病"`,
		`"\ud83e\uddec"`:                       `"🧬"`,
		`"\"\\\/\b\f\n\r\t\u0001"`:             `"\"\\/\u0008\u000c\n\u000d\t\u0001"`,
		`{"b":1,"a":{"d":[],"c":{}}}`:          `{"a":{"c":{},"d":[]},"b":1}`,
		` [ 1.50 , -0 , 1E+5 , true , null ] `: `[1.50,-0,1E+5,true,null]`,
	} {
		v, err := parse([]byte(in))
		if err != nil || string(v.canonical()) != want {
			t.Errorf("%s: got %s, %v; want %s", in, v.canonical(), err, want)
		}
	}
}

func TestPartsLaidOverOneAnotherGiveTheDocument(t *testing.T) {
	for _, row := range [][3]string{ // document, part, what is left
		{`{"a":1,"b":2}`, `{"a":1}`, `{"b":2}`},
		{`{"a":[{"x":1},{"x":2,"y":3}]}`, `{"a":[{"x":1},{"x":2}]}`, `{"a":[{},{"y":3}]}`},
		{`{"a":[{"x":1,"z":0},{"x":2}]}`, `{"a":[{"x":1},{"x":2}]}`, `{"a":[{"z":0}]}`},
		{`{"a":[7,{"x":2}]}`, `{"a":[{},{"x":2}]}`, `{"a":[7]}`},
		{`{"a":[],"b":{}}`, `{}`, `{"a":[],"b":{}}`},
		{`{"a":{"x":null}}`, `{}`, `{"a":{"x":null}}`},
	} {
		doc, part := mustParse(t, row[0]), mustParse(t, row[1])
		rest := subtract(doc, part)
		if got := string(rest.canonical()); got != row[2] {
			t.Errorf("%s less %s is %s, want %s", row[0], row[1], got, row[2])
		}
		if !merge(part, rest).equal(doc) {
			t.Errorf("%s and %s do not give %s", row[1], row[2], row[0])
		}
	}
	if subtract(mustParse(t, `{"a":[{"x":1}]}`), mustParse(t, `{"a":[{"x":1}]}`)) != nil {
		t.Error("something is left of nothing")
	}
}

func mustParse(t *testing.T, s string) *value {
	t.Helper()
	v, err := parse([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What parses is JSON to the standard library too, with the same content, and
// its canonical form parses to itself.
func FuzzWhatParsesIsJSONAndItsCanonicalFormParsesToItself(f *testing.F) {
	for _, seed := range []string{`{"a":[1.50,"\ud83e\uddec",null]}`, `"\ud800"`, `[01]`, `{"a":1,"a":2}`, strings.Repeat("[", 70), ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := parse(in)
		if err != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatalf("accepted what is not JSON: %q", in)
		}
		form := v.canonical()
		again, err := parse(form)
		if err != nil || !again.equal(v) || string(again.canonical()) != string(form) {
			t.Fatalf("%s does not parse to itself: %v", form, err)
		}
	})
}
