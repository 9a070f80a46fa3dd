package peer

import (
	"net/http"
	"sync"
	"time"
)

// skews is by how much other nodes' clocks are ahead of this one's, as their
// answers say. A node says what it likes of its own clock, and nothing but
// what is shown to operators comes from it.
type skews struct {
	mu sync.Mutex
	of map[string]time.Duration // by node id
}

// note takes an answer's Date, which is in whole seconds.
func (s *skews) note(node string, resp *http.Response, now time.Time) {
	said, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]time.Duration{}
	}
	s.of[node] = said.Add(time.Second / 2).Sub(now)
}

// Skew returns by how much a node's clock was ahead of this one's when it
// answered last, to a second; ok is false if it never has.
func (c *Client) Skew(node string) (ahead time.Duration, ok bool) {
	c.skews.mu.Lock()
	defer c.skews.mu.Unlock()
	ahead, ok = c.skews.of[node]
	return ahead, ok
}
