// Package spool keeps what a hospital submitted and holders have no quota left
// for, until the day has changed.
//
//	s, err := spool.Open(spool.Config{Dir: dir, Sealing: key, Now: time.Now})
//	err = s.Keep(tag, files, submission)   // sealed and on disk when it returns
//	lot, ok, err := s.Oldest()
//	...                                    // the outbox has it
//	err = s.Remove(lot)
//
// A lot is sealed to the hospital's own sealing key (HPKE) before it touches the
// disk: whoever takes the disk without the key file has nothing. Its file is
// named by when it was kept, how many of the hospital's files are in it, and a
// keyed tag of its content.
//
// # Promises
//
//  1. What Keep returned nil for is there after a crash, whole, until Remove.
//  2. The same lot is kept once.
//  3. The directory does not grow beyond its limits: then Keep says [ErrFull]
//     and the hospital submits again later.
//
// # Trust
//
// Whoever has the hospital's sealing key can open a lot, identifiers and all.
// The directory belongs to one process. A Spool is safe for concurrent use.
package spool
