package rule

import "strings"

// Characters of a long value that Mask leaves readable.
const (
	maskHead    = 3
	maskTail    = 1
	maskFromLen = 12 // shorter values are hidden whole: 4 of 11 would say too much
)

// Mask returns value in a form that may be shown or logged: of 12 characters
// or more the first three and the last one, with "***" between; of shorter
// ones nothing. The number of hidden characters does not show. Control
// characters are shown as "?".
func Mask(value string) string {
	r := []rune(value)
	switch {
	case len(r) == 0:
		return ""
	case len(r) < maskFromLen:
		return "***"
	}
	return visible(r[:maskHead]) + "***" + visible(r[len(r)-maskTail:])
}

func visible(r []rune) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c <= 0x9f {
			return '?'
		}
		return c
	}, string(r))
}
