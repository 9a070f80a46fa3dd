// Package config reads the one file in which an operator sets up a node.
//
//	cfg, err := config.Load("/etc/raresync/raresync.toml")
//	var problems *config.Problems
//	if errors.As(err, &problems) { ... } // every problem, led by its key
//
// The struct [Config] is the reference: each field says what it is, its
// default and how to choose. [DefaultsTOML] is the same as an annotated file.
//
// # Promises
//
//  1. A key that is not known is a problem, never ignored, and a near miss is
//     answered with the key that was probably meant.
//  2. All problems are reported together.
//  3. Every path of a loaded configuration is absolute; in the file, relative
//     paths start at the file's own folder.
//  4. The file holds no secret: keys are named by where they lie.
//
// # Trust
//
// Whoever may write the file owns the node, so it is trusted; it is checked
// for mistakes, not for malice.
package config
