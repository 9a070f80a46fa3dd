// Package browser looks at the hospital's page with a real browser, Debian's
// Chromium: in Chinese and English, on a small desk's screen, with JavaScript and
// without it.
//
//	PAGE_SHOTS=shots go test ./integration/browser   # and leaves pictures to look at
//
// The page is package page's, over TLS with a certificate of its own making; the
// daemon behind it is a few lines that answer as the intake does. What the browser
// shows is measured: every field has its label, every text its contrast, nothing is
// wider than the screen, and the browser complains of nothing.
package browser
