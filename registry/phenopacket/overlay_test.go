package phenopacket

import "testing"

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
		if got := string(rest.Canonical()); got != row[2] {
			t.Errorf("%s less %s is %s, want %s", row[0], row[1], got, row[2])
		}
		if !merge(part, rest).Equal(doc) {
			t.Errorf("%s and %s do not give %s", row[1], row[2], row[0])
		}
	}
	if subtract(mustParse(t, `{"a":[{"x":1}]}`), mustParse(t, `{"a":[{"x":1}]}`)) != nil {
		t.Error("something is left of nothing")
	}
}

func mustParse(t *testing.T, s string) *value {
	t.Helper()
	v, err := parse(maxDepth, []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
