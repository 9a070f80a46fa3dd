// Package console is the web pages on which a national reader's people look at the
// registry.
//
//	c, err := console.Open(console.Config{DataDir: dir, Read: view.ReadIn, ...})
//	server := &http.Server{Handler: c}
//
// Accounts, sign-in, TLS and headers are those of package site.
package console
