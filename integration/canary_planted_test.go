//go:build faults

package integration

import (
	"testing"

	"github.com/raresync/raresync/consensus/fault"
)

// TestAPanicShowsNothingIdentifying is TestNothingIdentifyingLeavesItsHospital
// with daemons that panic while they hold a patient's file.
func TestAPanicShowsNothingIdentifying(t *testing.T) {
	t.Setenv("RARESYNC_PLANT", string(fault.PanicTaking))
	nothingIdentifyingLeaves(t)
}
