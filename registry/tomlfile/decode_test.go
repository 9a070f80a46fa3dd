package tomlfile

import (
	"slices"
	"testing"
)

func TestAnUnknownKeyIsNamed(t *testing.T) {
	var into struct {
		Known string `toml:"known"`
		Table struct {
			Inner int `toml:"inner"`
		} `toml:"table"`
	}
	unknown, err := Decode("known = \"yes\"\nknwon = \"no\"\n[table]\ninner = 1\nouter = 2\n", &into)
	if err != nil || !slices.Equal(unknown, []string{"knwon", "table.outer"}) {
		t.Errorf("got %v, %v", unknown, err)
	}
	if into.Known != "yes" || into.Table.Inner != 1 {
		t.Errorf("got %+v", into)
	}
}

func TestAnErrorNamesTheLine(t *testing.T) {
	var into map[string]any
	for text, want := range map[string]string{
		"a = 1\nb = \n":  "line 2: expected value but found '\\n' instead",
		"a = 1\na = 2\n": "line 2: Key 'a' has already been defined.",
	} {
		if _, err := Decode(text, &into); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
