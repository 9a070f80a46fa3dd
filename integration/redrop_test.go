package integration

import (
	"bytes"
	"testing"
)

// TestCorrectedFileComesBackWhole: a clerk corrects the clinical part of a file
// with genetics and a visit, and hands it in again.
func TestCorrectedFileComesBackWhole(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 1, 1)
	first := madeUpVisits(t, 1, 1)[0] // has genetics and one visit
	second := first
	second.file.Name = "corrected.json"
	second.file.Data = bytes.Replace(first.file.Data, []byte(`"diseaseStatus": "stable"`), []byte(`"diseaseStatus": "worse"`), 1)
	second.file.Data = bytes.Replace(second.file.Data, []byte(`"hospitalsBefore": `), []byte(`"hospitalsBefore": 1`), 1)
	visits := []visit{first, second}
	n.register(visits)
	n.converge()
	n.comesBack(t, visits)
}
