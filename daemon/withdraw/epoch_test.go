package withdraw

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
)

// An index beyond the cut is another entry's in the next log epoch.
func TestAnErasureNamesNothingThatARecoveryLost(t *testing.T) {
	key, err := sealing()
	if err != nil {
		t.Fatal(err)
	}
	open := func(path string, all []decision) *Desk {
		return &Desk{cfg: Config{Logger: slog.New(slog.DiscardHandler)}, decisions: all,
			file: file{path, func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{key} }}}
	}
	about := func(indexes ...uint64) decision {
		return decision{consent: entry.Entry{
			Type: entry.TypeConsent, Profile: entry.Report, ID: [32]byte{1}, EventDate: entry.Date{Year: 2026, Month: 1, Day: 2},
			Source: entry.SourceForm, Basis: entry.BasisStatutory,
			Consent: &entry.Consent{Status: entry.Erasing, Scope: entry.ScopeAll, By: entry.BySelf, Marks: [][32]byte{{2}}, Indexes: indexes},
		}}
	}
	indexes := func(d *Desk) (list [][]uint64) {
		for _, one := range d.decisions {
			list = append(list, one.consent.Consent.Indexes)
		}
		return list
	}
	first, second := &state.State{LogEpoch: 1}, &state.State{LogEpoch: 2, Epochs: []state.Epoch{{Number: 2, Size: 10}}}
	for name, tc := range map[string]struct {
		before []*state.State // settled in these first
		view   *state.State
		want   [][]uint64
	}{
		"in the first epoch":       {nil, first, [][]uint64{{3, 9, 10, 12}, {4}, {11}}},
		"crossing into the second": {nil, second, [][]uint64{{3, 9}, {4}, {}}},
		"decided in the second":    {[]*state.State{second}, second, [][]uint64{{3, 9, 10, 12}, {4}, {11}}},
		"crossing into the third": {[]*state.State{second}, &state.State{LogEpoch: 3, Epochs: []state.Epoch{{Number: 2, Size: 10}, {Number: 3, Size: 12}}},
			[][]uint64{{3, 9, 10}, {4}, {11}}},
	} {
		path := filepath.Join(t.TempDir(), "withdrawals")
		for _, view := range tc.before {
			if err := open(path, nil).settleEpoch(view); err != nil {
				t.Fatal(err)
			}
		}
		d := open(path, []decision{about(3, 9, 10, 12), about(4), about(11)})
		if err := d.settleEpoch(tc.view); err != nil {
			t.Fatal(err)
		}
		if got := indexes(d); !slices.EqualFunc(got, tc.want, func(a, b []uint64) bool { return slices.Equal(a, b) }) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
