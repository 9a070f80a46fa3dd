// Package bundle decides what of a node may be shown to somebody far away who
// helps: its settings, and the sizes of its files.
//
//	settings := bundle.Settings(cfg)
//	files := bundle.Files(cfg.Node.DataDir)
//
// # Promises
//
//  1. Everything is taken from a list: a setting or a file that is not in it does
//     not appear, or appears as a number.
//  2. No value of a secret, and no name that a hospital has chosen for a file, is
//     in it.
//  3. Nothing is changed, and no file is opened.
package bundle
