package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	options
	results *results
	began   time.Time
	full    *network // loaded with so many entries; nil before a part needs it
}

// parts is what can be measured, in this order.
var parts = []struct {
	name    string
	measure func(*bench, context.Context) error
}{
	{"windows", (*bench).windows},
	{"scale", (*bench).scale},
	{"mirror", (*bench).mirror},
	{"failover", (*bench).failover},
	{"erasure", (*bench).erasure},
	{"large", (*bench).large},
	{"idle", (*bench).idle},
	{"mirrors", (*bench).mirrors},
	{"backfill", (*bench).backfill},
	{"links", (*bench).links},
}

func partNames() []string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// choose reads a list of parts.
func choose(list string) ([]string, error) {
	chosen := strings.Split(list, ",")
	for _, name := range chosen {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("part %q: want some of %s", name, strings.Join(partNames(), ","))
		}
	}
	return chosen, nil
}

// measure measures the parts. One that fails leaves the others their turn, and
// what it had measured in the results.
func (b *bench) measure(ctx context.Context) error {
	var problems []error
	for _, p := range parts {
		if !slices.Contains(b.parts, p.name) || ctx.Err() != nil {
			continue
		}
		b.note("%s", p.name)
		if err := p.measure(b, ctx); err != nil {
			err = fmt.Errorf("%s: %w", p.name, err)
			b.results.Notes = append(b.results.Notes, "FAILED: "+err.Error())
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func (b *bench) close() error {
	if b.full == nil {
		return nil
	}
	return b.full.close()
}

// note tells how far the run has come, on standard error.
func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%6.1f s  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// loaded returns the network with so many entries, and loads it the first time.
func (b *bench) loaded(ctx context.Context) (*network, error) {
	if b.full != nil {
		return b.full, nil
	}
	n, err := startNetwork(ctx, filepath.Join(b.dir, "full"), b.binary)
	if err != nil {
		return nil, err
	}
	b.full = n // closed at the end, whatever comes
	b.note("loading %d entries", b.entries)
	for left := (b.entries + entriesPerEnvelope - 1) / entriesPerEnvelope; left > 0; {
		some := min(left, sealedAtOnce)
		if err := n.load(ctx, some); err != nil {
			return nil, err
		}
		left -= some
	}
	b.note("loaded")
	return n, nil
}

// sealedAtOnce bounds the envelopes that wait in memory to be sent.
const sealedAtOnce = 4096

// discard closes a part's network and removes its data, whose pages the next
// part should not find in memory.
func discard(n interface{ close() error }, dir string) error {
	return errors.Join(n.close(), os.RemoveAll(dir))
}
