package withdraw

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The network of the simulation: patients who are known at two hospitals and
// withdraw at both within half an hour, while all hospitals go on submitting.
const (
	simHospitals = 12
	simPatients  = 20 // a window
	simWindows   = 150
	simEnvelopes = 24 // of entries, a window and hospital, beside consents
	simApart     = 30 * time.Minute
)

// simAct is a withdrawal as everybody sees it. Whose entries it lists only the
// simulation knows.
type simAct struct {
	hospital int
	at       time.Time
	patients []int
}

// simLog is what an outsider has: acts, and the times of all envelopes.
type simLog struct {
	acts      []simAct
	envelopes [simHospitals][]time.Time // ascending
}

// simulate lets patients withdraw at two hospitals each. With now every act is
// posted as it is asked for.
func simulate(t *testing.T, seed uint64, now bool) *simLog {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	s := Schedule{Spread: 72 * time.Hour}
	width := s.width()
	log := &simLog{}
	start := time.UnixMilli(s.window(day) * width.Milliseconds())
	type visit struct {
		patient, hospital int
		at                time.Time
	}
	var visits []visit
	for p := range simPatients * simWindows {
		first := start.Add(time.Duration(r.Int64N(int64(width) * simWindows)))
		a := r.IntN(simHospitals)
		b := (a + 1 + r.IntN(simHospitals-1)) % simHospitals
		visits = append(visits, visit{p, a, first}, visit{p, b, first.Add(time.Duration(r.Int64N(int64(simApart))))})
	}
	slices.SortFunc(visits, func(a, b visit) int { return a.at.Compare(b.at) })
	var waits [simHospitals]map[time.Time][]int
	var random [simHospitals]*rand.ChaCha8
	for h := range simHospitals {
		waits[h], random[h] = map[time.Time][]int{}, source(seed*100+uint64(h))
		for range simEnvelopes * simWindows {
			log.envelopes[h] = append(log.envelopes[h], start.Add(time.Duration(r.Int64N(int64(width)*simWindows))))
		}
	}
	for _, v := range visits {
		log.envelopes[v.hospital] = append(log.envelopes[v.hospital], v.at) // the sealed consent, at once
		if now {
			log.acts = append(log.acts, simAct{v.hospital, v.at, []int{v.patient}})
			continue
		}
		var others []time.Time
		for at := range waits[v.hospital] {
			others = append(others, at)
		}
		at := due(t, s, v.at, others, random[v.hospital])
		waits[v.hospital][at] = append(waits[v.hospital][at], v.patient)
	}
	for h := range simHospitals {
		for at, patients := range waits[h] {
			log.acts = append(log.acts, simAct{h, at, patients})
		}
		slices.SortFunc(log.envelopes[h], time.Time.Compare)
	}
	slices.SortFunc(log.acts, func(a, b simAct) int { return a.at.Compare(b.at) })
	return log
}

// An attack guesses in which act of another hospital the patients of an act are
// listed as well; it sees everything but the patients.
type attack func(log *simLog, of simAct, others []simAct) simAct

// nearest guesses the act that was posted nearest in time.
func nearest(_ *simLog, of simAct, others []simAct) simAct {
	return slices.MinFunc(others, func(a, b simAct) int {
		return int(a.at.Sub(of.at).Abs() - b.at.Sub(of.at).Abs())
	})
}

// nearestEnvelopes guesses by the window before: the hospital of which two
// envelopes, one of them a consent perhaps, were nearest to each other.
func nearestEnvelopes(log *simLog, of simAct, others []simAct) simAct {
	gap := func(a simAct) time.Duration {
		s := Schedule{Spread: 72 * time.Hour}
		start := time.UnixMilli((s.window(of.at) - 1) * s.width().Milliseconds())
		least := time.Duration(math.MaxInt64)
		theirs := between(log.envelopes[a.hospital], start, s.width())
		for _, at := range between(log.envelopes[of.hospital], start, s.width()) {
			i, _ := slices.BinarySearchFunc(theirs, at, time.Time.Compare)
			for _, j := range []int{i - 1, i} {
				if j >= 0 && j < len(theirs) {
					least = min(least, theirs[j].Sub(at).Abs())
				}
			}
		}
		return least
	}
	return slices.MinFunc(others, func(a, b simAct) int { return int(gap(a) - gap(b)) })
}

func between(all []time.Time, start time.Time, d time.Duration) []time.Time {
	i, _ := slices.BinarySearchFunc(all, start, time.Time.Compare)
	j, _ := slices.BinarySearchFunc(all, start.Add(d), time.Time.Compare)
	return all[i:j]
}

// pairs counts how many withdrawals an attack pairs, of all of patients whose
// two acts lie in one window, and how many it would by chance: guessing any act
// of the window.
func (log *simLog) pairs(by attack) (paired, all int, chance float64) {
	s := Schedule{Spread: 72 * time.Hour}
	windows := map[int64][]simAct{}
	for _, a := range log.acts {
		windows[s.window(a.at)] = append(windows[s.window(a.at)], a)
	}
	for _, acts := range windows {
		for _, a := range acts {
			others := slices.DeleteFunc(slices.Clone(acts), func(b simAct) bool { return b.hospital == a.hospital })
			if len(others) == 0 {
				continue
			}
			guess := by(log, a, others)
			for _, p := range a.patients {
				there := 0
				for _, b := range others {
					if slices.Contains(b.patients, p) {
						there++
					}
				}
				if there == 0 {
					continue
				}
				all++
				chance += float64(there) / float64(len(others))
				if slices.Contains(guess.patients, p) {
					paired++
				}
			}
		}
	}
	return paired, all, chance
}

// Proof that the time of a withdrawal tells nothing: somebody with all acts,
// headers and times pairs those of one patient at two hospitals no better than
// by guessing. The control posts them at once.
func TestAnOutsiderPairsWithdrawalsNoBetterThanChance(t *testing.T) {
	const seed = 20261127
	for name, by := range map[string]attack{"the nearest act": nearest, "the nearest envelopes before": nearestEnvelopes} {
		paired, all, chance := simulate(t, seed, false).pairs(by)
		p := chance / float64(all)
		slack := 5 * math.Sqrt(float64(all)*p*(1-p))
		t.Logf("%s: %d of %d paired, by chance %.0f", name, paired, all, chance)
		if all < simPatients*simWindows || math.Abs(float64(paired)-chance) > slack {
			t.Errorf("by %s an outsider pairs %d of %d withdrawals, by chance %.0f (give or take %.0f)", name, paired, all, chance, slack)
		}
	}
	paired, all, chance := simulate(t, seed, true).pairs(nearest)
	t.Logf("posted at once: %d of %d paired, by chance %.0f", paired, all, chance)
	if float64(paired) < 0.5*float64(all) {
		t.Errorf("posted at once only %d of %d are paired: the attack is too weak to show anything", paired, all)
	}
}
