// Package recent keeps the end of the daemon's log in memory, as far as it may be
// shown to somebody far away who helps.
//
//	lines := recent.New(512)
//	logger := slog.New(lines.Handler(handler)) // what is logged still goes to handler
//	text := lines.Text()
//
// # Promises
//
//  1. Of an attribute whose key is not in the list of this package only the key is
//     kept. Texts lose everything that is not printable ASCII, and every run of six
//     digits or more: names and numbers of people do not survive that.
//  2. It holds so many lines of at most 1 KiB, the newest, and no other memory.
//
// The daemon's log names no patient; this is the second lock on the same door.
package recent
