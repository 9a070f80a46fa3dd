package consensus

import (
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
)

func TestAMirrorSavesWhatIsNewInTime(t *testing.T) {
	at := func(envelopes, bodies uint64) *machine.Snapshot {
		return &machine.Snapshot{At: ledger.Lengths{EnvelopesBytes: envelopes, BodiesBytes: bodies}}
	}
	kept := at(10, 20)
	for name, c := range map[string]struct {
		kept, confirmed *machine.Snapshot
		since           time.Duration
		want            bool
	}{
		"nothing new":                      {kept, kept, time.Hour, false},
		"just saved":                       {kept, at(10+saveBytes, 20), savePeriod / 2, false},
		"never saved":                      {nil, at(10, 20), savePeriod, true},
		"a little":                         {kept, at(11, 20), saveLatest - time.Minute/2, false},
		"a little for long":                {kept, at(11, 20), saveLatest, true},
		"much":                             {kept, at(10, 20+saveBytes), savePeriod, true},
		"much, of headers and bodies":      {kept, at(10+saveBytes/2, 20+saveBytes/2), savePeriod, true},
		"almost much, of all that is kept": {kept, at(10, 19+saveBytes), savePeriod, false},
	} {
		m := mirroring{saved: time.Now().Add(-c.since), kept: c.kept}
		if got := m.isDue(c.confirmed); got != c.want {
			t.Errorf("%s: due is %v, want %v", name, got, c.want)
		}
	}
}
