// Package query says where the questions stand that national readers have asked
// hospitals about their entries, and hospitals themselves, and takes them back when
// what they are about is withdrawn. [Book] keeps what a hospital has still to ask.
//
//	asked, err := query.List(changes, view, reader.Entry)
//	for _, a := range asked { fmt.Println(a.Index, a.State, a.Days()) }
//
// Everything follows from entries of the log: the question, which is sealed to
// the hospital that is asked; its answer, which that hospital seals to its
// readers; a correction of the entry, which answers it as well; and the closing
// by who asked. Both sides see the same.
//
// A question about an entry that is withdrawn is not shown any more. Who asked
// withdraws it in turn: see [Forget].
package query
