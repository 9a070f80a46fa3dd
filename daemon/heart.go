package daemon

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/daemon/notify"
)

const (
	// heartTick is how often the service manager hears, unless its watchdog wants
	// it more often.
	heartTick = 10 * time.Second
	// maxStart is for how long a start is called slow, and not stuck: as a rule it
	// takes seconds, after a power cut minutes.
	maxStart = time.Hour
)

// A heart tells the service manager that this process lives, and how it is. Its
// methods do nothing on a nil heart.
type heart struct {
	manager notify.Manager
	pulse   atomic.Pointer[func() string] // passes through the locks of a running node, and says how it is
	readied sync.Once
	beaten  atomic.Pointer[time.Time] // when the pulse returned last
}

func newHeart() *heart { return &heart{manager: notify.FromEnvironment()} }

// beat starts the heart. stop ends it and returns when it has.
func (h *heart) beat(ctx context.Context) (stop func()) {
	ended, end := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		stopping := ctx.Done()
		for began := time.Now(); ; {
			h.tell(time.Since(began))
			select {
			case <-time.After(h.every()):
			case <-stopping:
				h.manager.Send("STOPPING=1", "STATUS=stopping")
				stopping = nil
			case <-ended.Done():
				if stopping != nil && ctx.Err() != nil { // both came during one beat
					h.manager.Send("STOPPING=1", "STATUS=stopping")
				}
				return
			}
		}
	}()
	return func() { end(); <-done }
}

func (h *heart) every() time.Duration {
	if w := h.manager.Watchdog(); w > 0 {
		return min(w/3, heartTick)
	}
	return heartTick
}

// tell is one beat. A node that holds a lock for ever never returns from its
// pulse, and the watchdog finds out. A node without a leader lives: starting it
// again would help nobody.
func (h *heart) tell(age time.Duration) {
	pulse := h.pulse.Load()
	switch {
	case pulse != nil:
		status := (*pulse)()
		now := time.Now()
		h.beaten.Store(&now)
		h.manager.Send("WATCHDOG=1", "STATUS="+status)
	case age < maxStart:
		h.manager.Send("WATCHDOG=1", fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", (6*heartTick).Microseconds()))
	}
}

// follow makes a running node's pulse the heart's; nil for none.
func (h *heart) follow(pulse func() string) {
	switch {
	case h == nil:
	case pulse == nil:
		h.pulse.Store(nil)
		h.beaten.Store(nil)
	default:
		h.pulse.Store(&pulse)
	}
}

// missedBeats are as many as a node may miss before it is called stuck.
const missedBeats = 4

// alive reports whether the pulse has returned lately, and since when it has not.
func (h *heart) alive() (since time.Duration, alive bool) {
	if h == nil {
		return 0, true
	}
	last := h.beaten.Load()
	if last == nil { // it has just started
		return 0, true
	}
	since = time.Since(*last)
	return since, since < missedBeats*h.every()
}

// ready says, once, that commands are answered. Whether the node is a current
// copy is another question, for raresync health.
func (h *heart) ready() {
	if h != nil {
		h.readied.Do(func() {
			lines := []string{"READY=1"}
			if pulse := h.pulse.Load(); pulse != nil {
				lines = append(lines, "STATUS="+(*pulse)())
			}
			h.manager.Send(lines...)
		})
	}
}

// pulse says in a line how the node is.
func (s *service) pulse() string {
	st, sessions := s.node.Status(), len(s.mesh.Connected())
	line := fmt.Sprintf("%s %s, %d entries, %d sessions", st.Kind, st.Node, st.Size, sessions)
	switch {
	case !st.Ready:
		return line + ", not ready: " + st.Why
	case st.Leader != "":
		return line + ", leader " + st.Leader
	}
	return line + ", pulls from " + st.Via
}
