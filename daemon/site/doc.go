// Package site is what the web pages of a node have in common: accounts and how
// they sign in, the headers of every answer, TLS, and the look. Packages page and
// console are built on it.
//
//	s, err := site.Open(site.Config{Kind: kind, DataDir: dir, Templates: templates, ...})
//	mux := s.Mux()                                   // sign-in, password, accounts, style
//	mux.HandleFunc("GET /{$}", s.For(roles, func(v *site.Visit) { ... v.Show(200, "home", data) }))
//	server := &http.Server{Handler: s.Guard(mux, nil)}
//
// # Accounts
//
// [Accounts] is a file of mode 0600 that commands and an administrator on the page
// change. Passwords are Argon2id hashes. After five failures an account and an
// address wait, twice as long each time. Sessions are in memory: they end when they
// idle, after a working day, when the account changes, and with the process.
//
// # Promises
//
//  1. Pages hold no script, load nothing from elsewhere, and work without JavaScript.
//  2. A form of another origin changes nothing.
//  3. What was typed into a sign-in that failed is neither logged nor shown again,
//     unless it is an account's name.
package site
