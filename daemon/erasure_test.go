package daemon

import (
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
)

func TestAReceiptThatIsAnHourLateIsMissed(t *testing.T) {
	const hour = 60 * 60 * 1000
	withdrawn := func() *state.State {
		return &state.State{
			LogTime: 10 * hour, Withdrawals: []state.Withdrawal{{Envelope: 4, Index: 40, LogTime: 9 * hour}, {Envelope: 7, Index: 60, LogTime: 10 * hour}},
			Entitled: []state.Entitled{{Node: "h1", Institution: 1}},
		}
	}
	for name, tc := range map[string]struct {
		change func(*state.State)
		now    uint64
		want   string // "" = no warning
	}{
		"within the hour":            {func(*state.State) {}, 10 * hour, ""},
		"after more than an hour":    {func(s *state.State) { s.LogTime = 10*hour + 60_000 }, 0, "node h1 of institution 1 has not declared the erasure of envelope 4 after 1h1m0s"},
		"by this node's clock alone": {func(*state.State) {}, 12 * hour, "envelope 4 after 3h0m0s"},
		"a clock that is behind":     {func(s *state.State) { s.LogTime = 12 * hour }, 1, "envelope 4 after 3h0m0s"},
		"of the second alone": {func(s *state.State) {
			s.LogTime, s.ErasureReceipts = 12*hour, []state.ErasureReceipt{{Node: "h1", Through: 4}}
		}, 0, "envelope 7 after 2h0m0s"},
		"declared": {func(s *state.State) {
			s.LogTime, s.ErasureReceipts = 12*hour, []state.ErasureReceipt{{Node: "h1", Through: 7}}
		}, 0, ""},
		"of a node that was removed": {func(s *state.State) { s.LogTime, s.Entitled[0].To = 12*hour, 5 }, 0, ""},
		"a backup with salts from before": {func(s *state.State) {
			s.SaltsBackups = []state.SaltsBackup{{Node: "h3", Size: 50, Expiry: 99 * hour}}
		}, 0, "erased entries may be read from a backup with salts of node h3"},
		"one that has expired": {func(s *state.State) {
			s.SaltsBackups = []state.SaltsBackup{{Node: "h3", Size: 50, Expiry: 9 * hour}}
		}, 0, ""},
		"one that was made after it": {func(s *state.State) {
			s.SaltsBackups = []state.SaltsBackup{{Node: "h3", Size: 61, Expiry: 99 * hour}}
		}, 0, ""},
	} {
		s := withdrawn()
		tc.change(s)
		var said []string
		for _, w := range erasureWarnings(s, tc.now) {
			if said = append(said, w.en); w.zh == "" {
				t.Errorf("%s: no Chinese", name)
			}
		}
		all := strings.Join(said, "\n")
		if (tc.want == "") != (all == "") || !strings.Contains(all, tc.want) {
			t.Errorf("%s: %q, want %q", name, all, tc.want)
		}
	}
}
