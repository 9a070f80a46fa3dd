package backup

import (
	"errors"
	"syscall"
	"testing"
)

func TestADiskWithTooLittleRoomIsNoticedBeforeAnythingIsWritten(t *testing.T) {
	for name, tc := range map[string]struct {
		free, total uint64
		err, want   error
	}{
		"room enough":                        {free: 100, total: 1000},
		"a byte too little":                  {free: 99, total: 1000, want: syscall.ENOSPC},
		"full":                               {free: 0, total: 1000, want: syscall.ENOSPC},
		"a file system that does not say":    {},
		"a file system that cannot be asked": {err: errors.New("broken")},
	} {
		disk := func() (free, total uint64, err error) { return tc.free, tc.total, tc.err }
		if err := room(disk, 100); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}
