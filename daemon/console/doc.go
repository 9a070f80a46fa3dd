// Package console is the web pages on which an institution's people look at what it may
// open of the registry: a national reader's at all of it, a hospital's at its own.
//
//	c, err := console.Open(console.Config{DataDir: dir, Read: view.ReadIn, ...})
//	server := &http.Server{Handler: c}
//
// Accounts, sign-in, TLS and headers are those of package site.
package console
