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

// Large returns the coordinator's view of a log with about so many entries.
func Large(t testing.TB, entries int) *View {
	w := newWorld(t, 22)
	w.backfill(entries)
	v := w.view(w.Reader, nil)
	must(t, v.wait(t.Context(), w.m.View().Envelopes))
	return v
}
