package inbox

import (
	"maps"
	"time"
)

// A Tally is how many files are where, as the last look through the folder found
// it: whoever asks never waits for a share that is away.
type Tally struct {
	Waiting map[string]int // files in new and in work
	Oldest  time.Time      // since when the first of them has been there; zero if none is
	Filed   map[string]int // files that went to done and to quarantine, since the start
}

// Tally returns how many files are where.
func (b *Box) Tally() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tally
	t.Waiting, t.Filed = maps.Clone(t.Waiting), maps.Clone(t.Filed)
	return t
}

// count looks through the folders where files wait; what cannot be read keeps its
// last count.
func (b *Box) count() {
	waiting := map[string]int{newDir: 0, workDir: 0}
	oldest := time.Time{}
	since := func(at time.Time) {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	for dir := range waiting {
		names, err := b.names(dir)
		if err != nil {
			return
		}
		for _, name := range names {
			if dir == newDir && passedOver(name) {
				continue
			}
			waiting[dir]++
			if at, err := time.Parse(stampLayout, name[:min(len(name), len(stampLayout))]); err == nil && dir == workDir {
				since(at)
			} else if seen, ok := b.seen[name]; ok {
				since(seen.since)
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tally.Waiting, b.tally.Oldest = waiting, oldest
}

// filed counts a file that has left work.
func (b *Box) filed(to string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tally.Filed == nil {
		b.tally.Filed = map[string]int{}
	}
	b.tally.Filed[to]++
}
