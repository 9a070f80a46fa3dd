// Package notify tells the service manager how the daemon is, as sd_notify(3)
// says: one datagram with lines NAME=value to the socket that $NOTIFY_SOCKET
// names.
//
//	m := notify.FromEnvironment()
//	m.Send("READY=1", "STATUS=voter h1, leader h2")
//	for range time.Tick(m.Watchdog() / 3) {
//		m.Send("WATCHDOG=1")
//	}
//
// Without a service manager, and on one that does not answer, nothing is sent and
// nothing fails: a node does not stop because nobody watches it.
package notify
