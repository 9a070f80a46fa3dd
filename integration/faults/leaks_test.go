package faults

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEveryPlantedLeakIsFound is what makes the search for identifying texts
// believable: each leak must be found where the page says. One after the other,
// since each is a network whose memory is searched.
func TestEveryPlantedLeakIsFound(t *testing.T) {
	if os.Getenv("PROVE") == "" {
		t.Skip("each searches a whole network: make canary; the search itself puts a text into each kind of place")
	}
	t.Logf("proof: %d planted leaks were tried", oneByOne(t, "Planted leaks"))
}

// onDisks is the heading of the bugs by which bytes stay on a disk.
const onDisks = "What stays on a disk"

// TestEveryBugOfForgettingIsFound is what makes the search of the disks
// believable.
func TestEveryBugOfForgettingIsFound(t *testing.T) {
	if os.Getenv("PROVE") == "" {
		t.Skip("each is a network on disks of its own: make erasure")
	}
	t.Logf("proof: %d bugs by which bytes stay on a disk were tried", oneByOne(t, onDisks))
}

// oneByOne plants what a table lists, or one of it that is drawn, each in a test
// of its usual size, and returns how many.
func oneByOne(t *testing.T, heading string) int {
	t.Helper()
	b := newBinaries(t)
	list := rows(t, heading)
	list = share(t, list, len(list))
	for _, r := range list {
		t.Run(r.name, func(t *testing.T) {
			out, err := b.run(t, r.pkg, r.test, "PROVE=", "RARESYNC_PLANT="+r.name)
			switch {
			case err == nil:
				t.Errorf("%s passes although the program %s", r.test, r.what)
			case !slices.ContainsFunc(r.says, func(words string) bool { return strings.Contains(out, words) }):
				t.Errorf("%s fails for another reason than %q:\n%s", r.test, r.says, head(out))
			}
		})
	}
	return len(list)
}

// head is the beginning of what a test said: what it found comes before the
// logs of its nodes.
func head(out string) string { return out[:min(len(out), 6000)] }
