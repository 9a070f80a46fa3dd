package integration

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/integration/canary"
)

// TestNothingIdentifyingLeavesItsHospital gives two hospitals of a network of
// real processes patients whose names, numbers and words exist nowhere else, in
// every way in which something can come in, and in every way in which it can go
// wrong: refused, broken off, typed, over quota, killed and made to show its
// goroutines. Then it searches all there is, but for the places of [mayBe].
//
// That it would find something is shown by the same search, for a text that the
// test puts into each kind of place; and by TestEveryPlantedLeakIsFound, which
// runs this test with programs that leak.
func TestNothingIdentifyingLeavesItsHospital(t *testing.T) {
	t.Parallel()
	nothingIdentifyingLeaves(t)
}

func nothingIdentifyingLeaves(t *testing.T) {
	t.Helper()
	w := newCanaryWorld(t)
	w.open(patience)
	w.nothingIsFoundBefore()
	for _, o := range w.origins {
		w.everythingComesIn(o)
	}
	w.everyWayInWasTaken()
	w.diesWithPatients(w.origins[0], syscall.SIGQUIT)
	w.diesWithPatients(w.origins[1], syscall.SIGKILL)
	w.waitingFilesGoOn(w.origins[1])
	w.converge()
	w.everybodyIsAsked()
	w.backupsAreMade()

	w.pseudonymsAreMarked()
	w.search = canary.New(append(w.markers, w.control)) // with case numbers and pseudonyms
	w.controlsAreFound()
	w.memoryIsClean()
	for _, p := range w.Processes() { // and what they show in dying
		must(t, syscall.Kill(p.PID(), syscall.SIGQUIT))
	}
	w.eventually("the end of all nodes", func() error {
		for _, p := range w.Processes() {
			if p.Running() {
				return fmt.Errorf("%s runs", p.Node)
			}
		}
		return nil
	})
	for _, p := range w.Processes() {
		w.bundleIsMade(p, "dead")
	}
	must(t, w.frames.Close())
	w.filesAreClean()
	w.bundlesAreClean()
	w.elsewhereIsClean()
	w.framesAreClean()
	w.answersAreClean()
	for _, e := range mayBe {
		t.Logf("found where it may be, in %s: %d", e.place, w.used[e.place])
		if w.used[e.place] == 0 {
			t.Errorf("nothing was found in %s: this is no exception, or the search is void there", e.place)
		}
	}
}

// exception is a place where a marker may be.
type exception struct {
	place, why string
	allows     func(at place, h canary.Hit) bool
}

// mayBe lists where a marker may be, with the reason. Everything else is
// searched and must be without: in particular all of every data directory, log
// and folder of temporary files, those of the marker's own hospital included.
var mayBe = []exception{
	{
		"the hospital's own exports and inbox", "the clerks put them there, and are told beside them what became of them",
		func(at place, h canary.Hit) bool { return at.kind == exportsPlace && h.Marker.At(at.node) },
	},
	{
		"what commands and the admin socket say at the hospital, of files by name", "a clerk must know which file is refused",
		func(at place, h canary.Hit) bool {
			return at.kind == answerPlace && h.Marker.At(at.node) && h.Marker.What == fileNameMarker
		},
	},
	{
		"what they say there, of case numbers", "they are what the hospital prints in place of a name",
		func(at place, h canary.Hit) bool {
			return at.kind == answerPlace && h.Marker.At(at.node) && h.Marker.What == caseNumberMarker
		},
	},
	{
		"what the link file answers at the hospital, of record numbers", "the clerk asks for the patient's papers",
		func(at place, h canary.Hit) bool {
			return at.kind == answerPlace && h.Marker.At(at.node) && h.Marker.What == recordMarker && strings.Contains(h.Where, "case-number link")
		},
	},
	{
		"the hospital's own trail, of case numbers", "who asked about a patient must be found again",
		func(at place, h canary.Hit) bool {
			return at.kind == filePlace && h.Marker.At(at.node) && h.Marker.What == caseNumberMarker &&
				strings.HasSuffix(h.Where, filepath.Join(at.node, "audit", "trail.jsonl"))
		},
	},
	{
		"what they say at the hospital and at the coordinator, of sealed texts and pseudonyms", "those may open the entries",
		func(at place, h canary.Hit) bool { return at.kind == answerPlace && opens(at.node, h.Marker) },
	},
	{
		"the coordinator's memory, of the same", "it has opened the entries",
		func(at place, h canary.Hit) bool {
			return at.kind == memoryPlace && at.node == demo.Coordinator && opens(at.node, h.Marker)
		},
	},
	{
		"the memory of the hospital's own daemon", "it reads the files; Go wipes nothing, and no promise is made about it",
		func(at place, h canary.Hit) bool { return at.kind == memoryPlace && h.Marker.At(at.node) },
	},
}

// opens reports whether a node may open the entries that a marker is sealed in.
func opens(node string, m *canary.Marker) bool {
	return (m.What == sealedMarker || m.What == pseudonymMarker) && (m.At(node) || node == demo.Coordinator)
}

// place is where something was found.
type place struct{ kind, node string }

const (
	filePlace    = "file"
	exportsPlace = "exports"
	memoryPlace  = "memory"
	framePlace   = "frame"
	answerPlace  = "answer"
	bundlePlace  = "bundle"

	caseNumberMarker = "a case number"
	recordMarker     = "a record number"
	pseudonymMarker  = "a pseudonym"
)

// none fails the test for what was found where it may not be, and returns how
// much was found where it may be.
func (w *canaryWorld) none(at place, hits []canary.Hit) (allowed int) {
	w.t.Helper()
	told := 0
	hits = slices.DeleteFunc(hits, func(h canary.Hit) bool { return h.Marker == w.control }) // the test puts that there
	for _, h := range hits {
		if i := slices.IndexFunc(mayBe, func(e exception) bool { return e.allows(at, h) }); i >= 0 {
			allowed++
			w.used[mayBe[i].place]++
			continue
		}
		if told++; told <= 5 {
			w.t.Errorf("LEAK of %s to %s: %s: %v", h.Marker.Homes, at.node, at.kind, h)
		}
	}
	if told > 5 {
		w.t.Errorf("and %d more in %s of %s", told-5, at.kind, at.node)
	}
	return allowed
}

// pseudonymsAreMarked adds the pseudonyms of the origins' patients, which only
// the coordinator may list.
func (w *canaryWorld) pseudonymsAreMarked() {
	w.t.Helper()
	homes := map[string][]string{}
	for _, e := range w.entries(w.Reader) {
		if e.Person == "" { // of a query, a card
			continue
		}
		if node := w.Hospitals[e.Hospital-1].Node; !slices.Contains(homes[e.Person], node) {
			homes[e.Person] = append(homes[e.Person], node)
		}
	}
	if len(homes) == 0 {
		w.t.Error("the search for pseudonyms is void: there are none")
	}
	for person, nodes := range homes {
		raw, err := hex.DecodeString(person)
		must(w.t, err)
		w.marker(pseudonymMarker, string(raw), nodes...)
	}
}
