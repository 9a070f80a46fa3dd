// Package quota is a share holder's count of what it evaluated for whom, and a
// hospital's count of what it asked of whom.
//
// A holder counts before it works:
//
//	b, err := quota.Open(quota.Config{Dir: dir, Now: time.Now})
//	day := b.Advance(checkpointDay)
//	err := b.Count(signed, func(day uint32) uint64 { return view.Quota(hospital, day) })
//	...                             // nil: counted and on disk; now evaluate
//	usage, err := b.Usage(week)     // of a finished week, for the log
//	proofs, err := b.Prove(week, hospital)  // for a hospital that doubts its part of it
//
// A hospital notes what it asks before it asks, and compares what holders claim:
//
//	a, err := quota.OpenAsked(path)
//	err = a.Note(day, elements, holders...)
//	excess := a.Excess(usages, hospital)
//	elements, err := shown.Check(usage, requestKey) // what the holder shows of its claim
//
// # Promises
//
//  1. What Count returned nil for is counted after any crash, and the same
//     request counted again counts once.
//  2. No hospital gets more than its quota of a day counted, and no request of
//     a day that is over.
//  3. The day never goes back: neither a restart nor an older checkpoint nor
//     this machine's clock takes it there.
//  4. In doubt nothing is counted, and so nothing evaluated: a damaged count
//     and one that is older than the usage posted refuse everything.
//
// # Trust
//
// The machine's clock is asked only about a checkpoint that jumps ahead. Whoever
// can replace the files can evaluate anyway: it is the holder. A count set back
// to an earlier hour of the same day, as with the image of a whole machine, is
// not noticed; it costs at most that day's quota at this holder.
//
// A [Book] and an [Asked] are safe for concurrent use. Each directory or file
// belongs to one process.
package quota
