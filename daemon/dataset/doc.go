// Package dataset makes the rows that a reader hands out: registrations, one to a
// row, under person keys of a project.
//
//	set, err := dataset.Collect(ctx, dataset.Source{...}, dataset.Options{Size: size, ...})
//	err = set.Write("parquet", w)
//
// # Promises
//
// The rows follow from the log below a tree size, from what is withdrawn or stopped
// by now, and from the options: the same log gives the same bytes at any later time,
// less the rows of what was erased or stopped since. Nothing of a later correction,
// link or entry is in them.
//
// A person key is the same in all exports of one project, and tells nothing in
// another's. Genetic columns and documents are there only if they are asked for and
// the reader has the right.
//
// This package is the home of the Parquet library.
package dataset
