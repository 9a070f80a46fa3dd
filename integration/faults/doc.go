// Package faults shows that the tests of this project would notice: it plants
// every bug that consensus/fault names and looks that the test which
// docs/FAULTS.md gives for it fails, and it kills processes at every step named
// there and looks that nothing is lost.
//
//	go test ./integration/faults             # a share, from a seed that is printed
//	PROVE=1 go test -v ./integration/faults  # all of them
//
// The page is the list: its rows say which test to run and what it must say. A
// name without a row, or a row without a name, fails.
//
// Some of it cuts the power of a file system in a file, which takes root and
// Debian's xfsprogs.
package faults
