package jsontree

import (
	"fmt"
	"strings"
	"testing"
)

// What a memory gives again is as if it were new, whatever it held before, also
// after a document that failed.
func TestAMemoryGivesWhatParseGives(t *testing.T) {
	var long strings.Builder
	for i := range 90 {
		fmt.Fprintf(&long, `"m%d":[%d,{"x":null}],`, i, i)
	}
	documents := []string{
		`{"a":1,"b":[true,{"c":"d"}]}`, `[]`, `{}`, `"text"`, `{"a":`, `{"b":{"c":{"d":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}}}`,
		"{" + strings.TrimSuffix(long.String(), ",") + "}", `{"a":{"a":{"a":[[],[],{}]}}}`, `[[[[[[]]]]]]`, `{"z":"\u7f55"}`, `{"a":1,"a":2}`, `{"q":"p"}`,
		`[` + strings.Repeat(`{"k":[1]},`, 200) + `0]`,
	}
	var m Memory
	for round := range 3 {
		for i, d := range documents {
			want, wantErr := Parse([]byte(d), limits)
			got, err := m.Parse(d, limits)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("round %d, document %d: %v, want %v", round, i, err, wantErr)
			}
			if err == nil && (!got.Equal(want) || !want.Equal(got) || string(got.Append(nil, false)) != string(want.Append(nil, false))) {
				t.Errorf("round %d, document %d: %s", round, i, got.Append(nil, false))
			}
			if err == nil && got.Get("m7") != nil && got.Get("m89").List()[0].Text != "89" {
				t.Error("a member of a large object is another")
			}
			m.Release()
		}
	}
}

// Documents that are held at the same time have no value in common.
func TestAMemoryHoldsWhatWasNotReleased(t *testing.T) {
	var m Memory
	var held []*Value
	for i := range 100 {
		v, err := m.Parse(fmt.Sprintf(`{"n":%d,"l":[%d,"%d"]}`, i, i, i), limits)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, v)
	}
	for i, v := range held {
		if want := fmt.Sprintf(`{"l":[%d,"%d"],"n":%d}`, i, i, i); string(v.Canonical()) != want {
			t.Errorf("document %d is now %s", i, v.Canonical())
		}
	}
}

// The elements that are walked take each other's place, and none that of what
// stands around them.
func TestElementsThatAreWalkedAreReadOneAtATime(t *testing.T) {
	var m Memory
	var in strings.Builder
	in.WriteString(`{"before":[1,{"a":2}],"list":[`)
	for i := range 1000 {
		fmt.Fprintf(&in, `{"i":%d,"deep":[[{"i":"%d"}]]},`, i, i)
	}
	in.WriteString(`null],"after":{"b":[3]}}`)
	n := 0
	rest, err := m.Walk(in.String(), limits, "list", func(v *Value, from, to int) error {
		if want := in.String()[from:to]; string(v.Append(nil, false)) != want {
			t.Errorf("element %d: %s, want %s", n, v.Append(nil, false), want)
		}
		n++
		return nil
	})
	if err != nil || n != 1001 {
		t.Fatalf("%d elements, %v", n, err)
	}
	if got := string(rest.Append(nil, false)); got != `{"before":[1,{"a":2}],"list":[],"after":{"b":[3]}}` {
		t.Errorf("around them: %s", got)
	}
	if len(m.blocks) > 4 {
		t.Errorf("%d blocks for elements of 5 values", len(m.blocks))
	}
}
