package main

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/daemon"
)

func TestTheDaemonsAdviceIsThereInChinese(t *testing.T) {
	given := daemon.Hints()
	for _, hint := range given {
		if hintsZH[hint] == "" {
			t.Errorf("no Chinese for %q", hint)
		}
	}
	for hint := range hintsZH {
		if !slices.Contains(given, hint) {
			t.Errorf("the daemon does not say %q any more", hint)
		}
	}
}
