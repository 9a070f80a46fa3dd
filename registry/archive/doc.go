// Package archive reads the files of a zip archive that a hospital hands in.
//
//	a, err := archive.Open("export.zip", raw, archive.Limits{})
//	for f := range a.Files() { ... f.Name, f.Data ... }
//	err = a.Err()
//
// # Promises
//
//  1. One file is in memory at a time, unpacked as a stream that ends at the
//     limits, whatever the archive claims about its sizes.
//  2. Archives with links, passwords, names that lead elsewhere, two files of one
//     name, or archives within are refused (FM009) before any file is given,
//     except that an archive within shows only when it is read.
//  3. Nothing is written to disk.
//
// # Trust
//
// The input may be hostile. What the files hold is for their readers to judge.
package archive
