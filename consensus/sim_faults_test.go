package consensus

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing/synctest"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
)

// simFault is one that is under way. Its repair ends it; faults overlap, and links
// and nodes that two have in common stay down until both are over.
type simFault struct {
	kind   string
	repair func()
}

// simFaults inject a fault each and return how it is repaired, or nil if there
// is nothing to inject it into.
var simFaults = map[string]func(*sim) func(){
	"partition":     (*sim).partition,
	"isolation":     (*sim).isolateLeader,
	"swizzle":       (*sim).swizzle,
	"pause":         (*sim).pauseNode,
	"store refusal": (*sim).refuseToStore,
	"restart":       (*sim).restartNode,
	"kill":          (*sim).killNode,
	"kill all":      (*sim).killAll,
	"power cut":     (*sim).cutPower,
	"all power cut": (*sim).cutAllPower,
	"clock":         (*sim).turnClock,
	"slowness":      (*sim).slowDown,
	"liar":          (*sim).letLie,
	"membership":    (*sim).demoteVoter,
}

const maxFaults = 3 // at once

// step injects a fault or repairs one.
func (s *sim) step() {
	if n := len(s.active); n == maxFaults || n > 0 && s.rng.IntN(100) < 45 {
		s.repair(s.rng.IntN(n))
		return
	}
	kinds := s.kinds
	if kinds == nil {
		kinds = slices.Sorted(maps.Keys(simFaults))
	}
	kind := kinds[s.rng.IntN(len(kinds))]
	if repair := simFaults[kind](s); repair != nil {
		s.counts[kind]++
		s.active = append(s.active, simFault{kind, repair})
	}
}

func (s *sim) repair(i int) {
	f := s.active[i]
	s.active = slices.Delete(s.active, i, i+1)
	f.repair()
}

// heal repairs everything, in random order, and sets the clocks right.
func (s *sim) heal() {
	for len(s.active) > 0 {
		s.repair(s.rng.IntN(len(s.active)))
		passTime(s.upTo(2 * time.Second))
	}
}

// link is a pair of nodes.
type link = [2]string

// cut cuts links, or takes one cut back.
func (s *sim) cut(by int, links ...link) {
	for _, l := range links {
		before := s.cuts[l]
		s.cuts[l] += by
		if (before == 0) != (s.cuts[l] == 0) {
			s.net.setCut(by > 0, l[0], l[1])
		}
	}
}

// links returns those between two groups.
func links(a, b []string) (out []link) {
	for _, x := range a {
		for _, y := range b {
			if x != y {
				out = append(out, pair(x, y))
			}
		}
	}
	return out
}

func (s *sim) without(ids ...string) []string {
	return slices.DeleteFunc(slices.Clone(s.ids), func(id string) bool { return slices.Contains(ids, id) })
}

func (s *sim) some(ids []string, n int) []string {
	ids = slices.Clone(ids)
	s.rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids[:n]
}

func (s *sim) cutOff(ids []string) func() {
	l := links(ids, s.without(ids...))
	s.cut(1, l...)
	return func() { s.cut(-1, l...) }
}

func (s *sim) partition() func() { return s.cutOff(s.some(s.ids, 1+s.rng.IntN(len(s.ids)-1))) }

func (s *sim) isolateLeader() func() {
	for _, id := range s.ids {
		if n := s.node(id); n != nil && n.Leading() {
			return s.cutOff([]string{id})
		}
	}
	return nil
}

// swizzle cuts the links of some nodes one by one; they heal one by one too, in
// another order.
func (s *sim) swizzle() func() {
	some := s.some(s.ids, 1+s.rng.IntN(4))
	all := links(some, s.ids)
	shuffle := func() { s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] }) }
	each := func(by int) {
		shuffle()
		for _, l := range all {
			s.cut(by, l)
			passTime(s.upTo(time.Second))
		}
	}
	each(1)
	return func() { each(-1) }
}

// pauseNode holds back all that a node sends or is sent, as if its process were
// stopped; nothing is closed.
func (s *sim) pauseNode() func() {
	id := s.ids[s.rng.IntN(len(s.ids))]
	if s.isPaused(id) {
		return nil
	}
	s.setPaused(id, true)
	return func() { s.setPaused(id, false) }
}

func (s *sim) setPaused(id string, paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused[id] = paused
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *sim) isPaused(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.paused[id]
}

// refuseToStore fills some voters' disks: Raft's records are refused.
func (s *sim) refuseToStore() func() {
	full := s.some(s.voters, 1+s.rng.IntN(3))
	set := func(by int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, id := range full {
			s.refusing[id] += by
		}
	}
	set(1)
	return func() {
		for _, id := range full {
			s.audit(id)
		}
		set(-1)
	}
}

func (s *sim) restartNode() func() {
	id := s.ids[s.rng.IntN(len(s.ids))]
	if s.node(id) == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	dir := s.stop(id, ctx)
	return func() { s.open(id, dir) }
}

func (s *sim) killNode() func() { return s.kill(false, s.ids[s.rng.IntN(len(s.ids))]) }

func (s *sim) killAll() func() { return s.kill(false, s.ids...) }

func (s *sim) cutPower() func() { return s.kill(true, s.ids[s.rng.IntN(len(s.ids))]) }

func (s *sim) cutAllPower() func() { return s.kill(true, s.ids...) }

// kill ends nodes without a goodbye: what they find when they start again is
// what their files held at the moment nothing reached them any more, and after
// a power cut only what was fsynced for certain.
func (s *sim) kill(power bool, ids ...string) func() {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return s.node(id) == nil })
	if len(ids) == 0 {
		return nil
	}
	l := slices.Concat(links(ids, s.without(ids...)), links(ids, ids))
	s.cut(1, l...)
	s.mu.Lock()
	for _, id := range ids {
		s.nodes[id].dead = true
	}
	s.mu.Unlock()
	left := map[string]string{}
	for _, id := range ids {
		left[id] = s.photograph(id)
	}
	for _, id := range ids {
		s.examine(id, left[id])
		if power {
			s.cutBack(id, left[id])
		}
		if err := os.RemoveAll(s.stop(id, ended())); err != nil {
			s.t.Error(err)
		}
	}
	s.cut(-1, l...)
	return func() {
		for _, id := range ids {
			s.open(id, left[id])
		}
	}
}

// photograph copies a node's directory as it is when every goroutine waits.
func (s *sim) photograph(id string) string {
	synctest.Wait()
	s.copies++
	to := filepath.Join(s.root, id+"-"+strconv.Itoa(s.copies))
	if err := copyDir(s.node(id).dir, to); err != nil {
		s.violate("copy of %s: %v", id, err)
	}
	s.wantForgotten(id, to, s.through(id))
	return to
}

// cutBack takes from a ledger's files what no Sync has covered, or some of it:
// each may have lost the end of its last writes. Everything else that a node
// writes is fsynced before it goes on.
func (s *sim) cutBack(id, dir string) {
	l, err := ledger.OpenReadOnly(filepath.Join(dir, "ledger"))
	if err != nil {
		s.violate("ledger of %s: %v", id, err)
		return
	}
	at := l.SyncedLengths()
	if err := l.Close(); err != nil {
		s.violate("ledger of %s: %v", id, err)
	}
	for _, name := range slices.Sorted(maps.Keys(ledgerBytes)) {
		path, synced := filepath.Join(dir, "ledger", name), int64(ledgerBytes[name](at))
		info, err := os.Stat(path)
		if err == nil && info.Size() > synced {
			err = os.Truncate(path, synced+s.rng.Int64N(info.Size()-synced+1))
		}
		if err != nil {
			s.violate("power cut of %s: %v", id, err)
		}
	}
}

// ledgerBytes are the ledger's files with their lengths.
var ledgerBytes = map[string]func(ledger.Lengths) uint64{
	"leaves":        func(l ledger.Lengths) uint64 { return l.LeavesBytes },
	"hashes.0":      func(l ledger.Lengths) uint64 { return l.HashesBytes[0] },
	"hashes.8":      func(l ledger.Lengths) uint64 { return l.HashesBytes[1] },
	"hashes.16":     func(l ledger.Lengths) uint64 { return l.HashesBytes[2] },
	"hashes.24":     func(l ledger.Lengths) uint64 { return l.HashesBytes[3] },
	"envelopes":     func(l ledger.Lengths) uint64 { return l.EnvelopesBytes },
	"envelopes.idx": func(l ledger.Lengths) uint64 { return l.IndexBytes },
	"bodies":        func(l ledger.Lengths) uint64 { return l.BodiesBytes },
	"bodies.idx":    func(l ledger.Lengths) uint64 { return l.BodyIndexBytes },
	"salts":         func(l ledger.Lengths) uint64 { return l.SaltsBytes },
}

func copyDir(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), raw, 0o600)
	})
}

// turnClock sets a clock wrong by up to seven minutes, which is more than a
// voter tolerates in log times.
func (s *sim) turnClock() func() {
	id := s.ids[s.rng.IntN(len(s.ids))]
	s.setAhead(id, s.upTo(14*time.Minute)-7*time.Minute)
	return func() { s.setAhead(id, s.upTo(4*time.Minute)-2*time.Minute) }
}

func (s *sim) setAhead(id string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead[id] = d
}
