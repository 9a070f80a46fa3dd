package daemon

import (
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTheServiceManagerHearsTheDaemon runs a voter that no other reaches: it has
// no leader, and lives.
func TestTheServiceManagerHearsTheDaemon(t *testing.T) {
	path := filepath.Join(shortDir(t), "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "150000")
	h1 := network(t)["h1"]
	h1.start(t)
	hears := func(what ...string) {
		t.Helper()
		b := make([]byte, 4096)
		must(t, conn.SetReadDeadline(time.Now().Add(deadline)))
		for {
			n, err := conn.Read(b)
			if err != nil {
				t.Fatalf("never heard %q: %v", what, err)
			}
			all := true
			for _, w := range what {
				all = all && strings.Contains(string(b[:n]), w)
			}
			if all {
				return
			}
		}
	}
	hears("READY=1")
	for range 3 {
		hears("WATCHDOG=1", "STATUS=voter h1, ", "not ready: no leader known")
	}
	h1.stop()
	hears("STOPPING=1")
	h1.end(t)
}

func TestAStuckNodeGivesNoSignOfLife(t *testing.T) {
	path := filepath.Join(shortDir(t), "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "30000")
	h := newHeart()
	stuck := make(chan struct{})
	entered := make(chan struct{})
	var once sync.Once
	h.follow(func() string {
		once.Do(func() { close(entered) })
		<-stuck
		return ""
	})
	stop := h.beat(t.Context())
	<-entered
	must(t, conn.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
	if n, err := conn.Read(make([]byte, 100)); err == nil {
		t.Errorf("heard %d bytes from a stuck node", n)
	}
	close(stuck)
	h.follow(nil)
	stop()
}
