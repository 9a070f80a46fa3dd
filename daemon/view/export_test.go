package view

import (
	"testing"

	"github.com/raresync/raresync/daemon/reader"
)

// Lived returns the coordinator's view of a network in which much has happened, and
// the reader that it is made with.
func Lived(t testing.TB, persons int) (*View, *reader.Reader) {
	w := newWorld(t, 21)
	w.live(persons)
	v := w.view(w.Reader, nil)
	return v, v.cfg.Reader
}
