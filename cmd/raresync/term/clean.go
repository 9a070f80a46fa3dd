package term

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s as one line that is safe to print: control characters,
// format characters (among them the ones that reverse text), line and
// paragraph separators and bytes that are no UTF-8 appear as \xNN, \uNNNN or
// \UNNNNNNNN.
func Clean(s string) string {
	if strings.IndexFunc(s, unsafeRune) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !invisible(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[size:]
	}
	return b.String()
}

// unsafeRune also holds for U+FFFD, which stands for a byte that is no UTF-8;
// Clean tells the two apart.
func unsafeRune(r rune) bool {
	return r == utf8.RuneError || invisible(r)
}

func invisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

// cleanJSON rewrites the characters that [Clean] neutralises as JSON's own
// escapes, so that the document means the same and prints safely. Outside
// strings JSON is ASCII, and inside them encoding/json has escaped the
// characters below U+0020 already.
func cleanJSON(doc []byte) []byte {
	b := make([]byte, 0, len(doc))
	for _, r := range string(doc) {
		switch {
		case r < 0x7f || !invisible(r):
			b = utf8.AppendRune(b, r)
		case r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	return b
}
