//go:build faults

package fault

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

var (
	mu      sync.Mutex // guards what follows
	planted = Bug(os.Getenv("RARESYNC_PLANT"))
	crash   = newCrash(os.Getenv("RARESYNC_CRASH_AT"))
	watch   func(Step)
	heard   string
)

// crashPoint is the step at which the process kills itself.
type crashPoint struct {
	step Step
	left int // times that the step is still passed
}

func newCrash(word string) crashPoint {
	step, count, _ := strings.Cut(word, "#")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		n = 1
	}
	return crashPoint{Step(step), n}
}

// At kills the process, as a power cut of this process alone would, if this is
// the step that was asked for; it tells the watcher of every step.
func At(s Step) {
	mu.Lock()
	told := watch
	if crash.step == s {
		if crash.left--; crash.left == 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // does not come back
			select {}
		}
	}
	mu.Unlock()
	if told != nil {
		told(s)
	}
}

// Overhear keeps a text for the leaks that pass it on, until the next one.
func Overhear(text string) {
	mu.Lock()
	defer mu.Unlock()
	heard = text
}

// Overheard returns the text kept last, or "" if no leak is planted.
func Overheard() string {
	mu.Lock()
	defer mu.Unlock()
	if planted == "" {
		return ""
	}
	return heard
}

// Planted reports whether the process makes this mistake.
func Planted(b Bug) bool {
	mu.Lock()
	defer mu.Unlock()
	return planted == b && b != ""
}

// Plant makes the process make the mistake until undo is called.
func Plant(b Bug) (undo func()) {
	mu.Lock()
	defer mu.Unlock()
	before := planted
	planted = b
	return func() {
		mu.Lock()
		defer mu.Unlock()
		planted = before
	}
}

// Watch calls f at every step until undo is called. f may panic or never
// return: the step then does not.
func Watch(f func(Step)) (undo func()) {
	mu.Lock()
	defer mu.Unlock()
	watch = f
	return func() {
		mu.Lock()
		defer mu.Unlock()
		watch = nil
	}
}
