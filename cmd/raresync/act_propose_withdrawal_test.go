package main

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/act"
)

func TestIndexesAreReadAsRuns(t *testing.T) {
	got, err := spansOf([]string{"7", "20-22", "8-9", "21-30", "12"})
	want := []act.Span{{First: 7, Count: 3}, {First: 12, Count: 1}, {First: 20, Count: 11}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", "-", "-7", "7-", "9-7", "x", "7-8-9", "18446744073709551615"} {
		if _, err := spansOf([]string{bad}); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
