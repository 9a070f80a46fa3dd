package consensus

import (
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	simShare = 4 * time.Second // of real time, unless SOAK says how long
	// simMinCommits is the least number of commits in a simulated hour: a run
	// in which nothing could happen has shown nothing.
	simMinCommits = 60
	// simWithdrawals is of how many envelopes one withdraws entries.
	simWithdrawals = 40
	// simProof is how much simulated time PROVE=1 asks for.
	simProof = 100 * time.Hour
)

// TestNetworkKeepsItsPromisesUnderFaults runs scenarios for a few seconds, or
// for as long as SOAK says ("10m"), or for a hundred simulated hours with
// PROVE=1. SIM_SEED repeats the scenarios of a run from the seed it printed.
func TestNetworkKeepsItsPromisesUnderFaults(t *testing.T) {
	share, soaking := simShare, false
	if asked := os.Getenv("SOAK"); asked != "" {
		d, err := time.ParseDuration(asked)
		if err != nil {
			t.Fatalf("SOAK: %v", err)
		}
		share, soaking = d, true
	}
	least := time.Duration(0) // of simulated time
	if os.Getenv("PROVE") == "1" {
		soaking, least = true, simProof
	}
	var total simTotal
	began := time.Now()
	for seed := simSeed(t); total.scenarios == 0 || time.Since(began) < share || total.elapsed < least; seed++ {
		sc := drawScenario(seed, soaking)
		s := simulate(t, sc)
		total.add(s)
		if soaking {
			fmt.Printf("%s: %s\n", sc, total)
		}
		for _, v := range s.violations {
			t.Errorf("%s: %s", sc, v)
		}
		if t.Failed() {
			t.Fatalf("repeat with SIM_SEED=%d", seed)
		}
	}
	t.Logf("proof: %s, in %s", total, time.Since(began).Round(time.Second))
	if hours := total.elapsed.Hours(); float64(total.commits) < simMinCommits*hours {
		t.Errorf("%d commits in %.1f simulated hours, want at least %d an hour", total.commits, hours, simMinCommits)
	}
}

func simSeed(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano() & 0xffffffff)
	if asked := os.Getenv("SIM_SEED"); asked != "" {
		var err error
		if seed, err = strconv.ParseUint(asked, 10, 64); err != nil {
			t.Fatalf("SIM_SEED: %v", err)
		}
	}
	t.Logf("SIM_SEED=%d", seed)
	return seed
}

// drawScenario draws a busy few minutes or, in a soak, mostly slow hours.
func drawScenario(seed uint64, soaking bool) scenario {
	rng := mathrand.New(mathrand.NewPCG(seed, 1<<32))
	if !soaking || rng.IntN(4) == 0 {
		return scenario{seed: seed, steps: 20 + rng.IntN(20), between: 6 * time.Second, think: 6 * time.Second, withdrawals: simWithdrawals}
	}
	return scenario{seed: seed, steps: 20 + rng.IntN(20), between: 5 * time.Minute, think: 2 * time.Minute, withdrawals: simWithdrawals, parts: rng.IntN(2) == 0}
}

// simTotal is what all scenarios of a run come to.
type simTotal struct {
	scenarios, commits, receipts, audits int
	withdrawals                          int
	fills, restarts                      int
	faults                               map[string]int
	elapsed                              time.Duration
}

func (r *simTotal) add(s *sim) {
	if r.faults == nil {
		r.faults = map[string]int{}
	}
	r.scenarios++
	r.commits += len(s.seen.acks)
	r.receipts += len(s.seen.receipts)
	r.withdrawals += len(s.seen.withdrawals)
	r.audits += len(s.seen.audits)
	r.fills += int(s.seen.fills.Load())
	r.restarts += s.restarts
	r.elapsed += s.seen.elapsed
	for kind, n := range s.counts {
		r.faults[kind] += n
	}
}

func (r simTotal) String() string {
	var faults []string
	sum := 0
	for _, kind := range slices.Sorted(maps.Keys(r.faults)) {
		faults = append(faults, fmt.Sprintf("%s %d", kind, r.faults[kind]))
		sum += r.faults[kind]
	}
	return fmt.Sprintf("%d scenarios, %.1f simulated hours, %d commits, %d withdrawals erased everywhere, %d receipts checked, %d audits, %d gap fills, %d restarts asked for, %d faults: %s",
		r.scenarios, r.elapsed.Hours(), r.commits, r.withdrawals, r.receipts, r.audits, r.fills, r.restarts, sum, strings.Join(faults, ", "))
}

// TestPromisesHoldUnder runs a few scenarios of one mix of faults each. It is
// what finds the planted bugs that only a network shows: docs/FAULTS.md.
func TestPromisesHoldUnder(t *testing.T) {
	for name, kinds := range map[string][]string{
		"every fault":                        nil,
		"kills and partitions":               {"kill", "kill all", "partition", "isolation"},
		"refusals and kills":                 {"kill", "store refusal"},
		"refusals":                           {"store refusal"},
		"refusals, partitions and isolation": {"store refusal", "partition", "isolation"},
	} {
		t.Run(name, func(t *testing.T) {
			sc := scenario{kinds: kinds, steps: 20, between: 4 * time.Second, think: 4 * time.Second, settle: 10 * time.Minute}
			for sc.seed = 1; sc.seed <= simSeeds; sc.seed++ {
				s := simulate(t, sc)
				for _, v := range s.violations {
					t.Errorf("%s, after %s: %s", sc, s.seen.elapsed, v)
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}
