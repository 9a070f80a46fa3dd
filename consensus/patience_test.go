//go:build !faults

package consensus

import "time"

const (
	// deadline is how long a test waits for what must happen.
	deadline = 40 * time.Second
	// simSeeds is how many scenarios of each mix of faults are run.
	simSeeds = 1
)
