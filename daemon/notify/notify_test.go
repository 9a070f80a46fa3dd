package notify

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func manager(t *testing.T) (path string, said func() string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return path, func() string {
		b := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestTheManagerHearsLines(t *testing.T) {
	path, said := manager(t)
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	m := FromEnvironment()
	if m.Watchdog() != 30*time.Second {
		t.Errorf("watchdog %s, want 30s", m.Watchdog())
	}
	if !m.Send("READY=1", "STATUS=two\nWATCHDOG=trigger") {
		t.Error("not sent")
	}
	if got, want := said(), "READY=1\nSTATUS=two"; got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
}

func TestWithoutAManagerNothingFails(t *testing.T) {
	for name, env := range map[string][3]string{
		"no manager":                        {"", "", ""},
		"one that is gone":                  {"/nowhere/notify", "1000", ""},
		"a watchdog of another process":     {"/nowhere/notify", "1000", "1"},
		"a watchdog that is not understood": {"/nowhere/notify", "soon", ""},
	} {
		t.Setenv("NOTIFY_SOCKET", env[0])
		t.Setenv("WATCHDOG_USEC", env[1])
		t.Setenv("WATCHDOG_PID", env[2])
		m := FromEnvironment()
		if m.Send("READY=1") {
			t.Errorf("%s: sent", name)
		}
		if want := name == "one that is gone"; (m.Watchdog() > 0) != want {
			t.Errorf("%s: watchdog %s", name, m.Watchdog())
		}
	}
}
