//go:build race

package delivery_test

// raceEnabled says that the race detector is at work.
const raceEnabled = true

// wall does nothing: the detector maps more memory than any wall would allow.
func wall() error { return nil }
