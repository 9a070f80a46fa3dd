// Package foundingtest founds small networks for tests, with every secret key
// at hand:
//
//	net := foundingtest.New(t, 3)
//
// Keys are fresh for each network; nothing here is for use outside of tests.
package foundingtest
