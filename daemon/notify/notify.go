package notify

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Manager is the service manager that started this process. The zero Manager
// is none.
type Manager struct {
	socket   string
	watchdog time.Duration
}

// FromEnvironment returns the service manager that the environment names.
func FromEnvironment() Manager {
	m := Manager{socket: os.Getenv("NOTIFY_SOCKET")}
	if pid := os.Getenv("WATCHDOG_PID"); m.socket == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return m
	}
	if micros, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64); err == nil && micros > 0 {
		m.watchdog = time.Duration(micros) * time.Microsecond
	}
	return m
}

// Watchdog returns the silence after which the manager ends this process; 0 if it
// does not watch.
func (m Manager) Watchdog() time.Duration { return m.watchdog }

// Send sends lines NAME=value, and reports whether they went out. A value ends at
// its first line break.
func (m Manager) Send(lines ...string) bool {
	if m.socket == "" {
		return false
	}
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, "\n")
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	_, err = conn.Write([]byte(strings.Join(lines, "\n")))
	return err == nil
}
