// Package canary looks for made-up identifying texts wherever a program may
// have left them: in files, in memory, in what crosses a wire, in answers.
//
//	s := canary.New(markers)                 // what must not be found
//	hits, searched, err := s.Files(dir)      // names and bytes of every file
//	hits, searched, err = s.Memory(pid)      // what a process can read of itself
//	c, err := canary.Listen(s, "lo")         // frames of an interface, from now on
//	hits = s.Bytes("GET /v1/status", answer)
//
// A [Marker] is a text that exists nowhere else. It is looked for as it is, in
// GB 18030, in both UTF-16, in hex and base64, in the escapes of JSON and URLs,
// as a list of numbers, and backwards; and in pieces of eight bytes of it, in
// each of these forms. Of numbers made of digits a piece has twelve, since eight
// occur by chance.
//
// # Promises
//
//  1. All forms of all markers are found in one pass.
//  2. What is reported is there: where, in which form, and how much of it.
//  3. A place that cannot be read is an error; nothing is left out in silence.
//
// # Trust
//
// None in what is searched: it is only compared.
package canary
