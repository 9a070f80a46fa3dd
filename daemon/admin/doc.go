// Package admin is how operators' commands talk to the daemon of their node:
// JSON over HTTP on a unix socket in the data directory.
//
//	c := admin.NewClient("/var/lib/raresync/admin.sock")
//	s, err := c.Status(ctx)
//
// The socket has mode 0600: who may open it owns the node. What a command
// learns through it may name patients of this hospital by pseudonym, so it is
// never served on a network.
//
// Errors travel as RFC 9457 problem details with a stable code; the client
// returns them as [*Problem].
package admin
