//go:build !race

package delivery_test

import "syscall"

// raceEnabled says that the race detector is at work.
const raceEnabled = false

// wall has the system refuse this process more memory than twice what it may
// take: the runtime maps it in pieces of 64 MiB.
func wall() error {
	const most = 2 * mostMemory
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
}
