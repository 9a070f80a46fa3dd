//go:build faults

package consensus

import "time"

const (
	// deadline is how long a test waits for what must happen: with a planted
	// bug it may never.
	deadline = 45 * time.Second
	// simSeeds is how many scenarios of each mix of faults are run: a bug may
	// need several to show.
	simSeeds = 4
)
