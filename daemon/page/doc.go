// Package page is the hospital's own web page: a clerk hands in a file, sees what
// would become of it, confirms, and reads what became of it.
//
//	p, err := page.Open(page.Config{Dir: dir, Send: send, ...})
//	go p.Run(ctx)                     // destroys what has expired
//	server := &http.Server{Handler: p}
//
// # The way of a file
//
// An upload is sealed under a key that only this process has, and put into
// Dir/staged. It is read and checked; the preview says what would be added,
// changed, linked and refused. Only when the clerk confirms does it go to the
// daemon's intake. With the answer the upload is destroyed, as it is when it is
// discarded, after an hour without a confirmation, and at the next start.
//
// What became of it is kept sealed to the hospital's key in Dir/kept, with the
// refused rows, masked, until it expires.
//
// # Accounts
//
// Accounts, sign-in, TLS and headers are those of package site. Each account sees its
// own deliveries alone.
//
// # Trust
//
// Whoever signs in submits in the hospital's name. What comes in is judged by
// packages delivery and intake; names of files may be names of patients, and are
// shown to who brought them and nowhere else. Pages hold no script, load nothing
// from elsewhere, and work without JavaScript.
package page
