package table

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// faultGB18030 returns where the first character is that GB 18030 does not
// have, or a zero byte; -1 for none. The decoder itself would write U+FFFD for
// it and go on.
func faultGB18030(raw []byte) int {
	decoder := simplifiedchinese.GB18030.NewDecoder()
	var out [4 * utf8.UTFMax]byte
	known := map[[2]byte]bool{} // characters of two bytes that were looked at
	for i := 0; i < len(raw); {
		n := lengthGB18030(raw[i:])
		switch {
		case n == 0 || raw[i] == 0:
			return i
		case n == 1:
			i++
			continue
		case n == 2 && known[[2]byte(raw[i:])]:
			i += n
			continue
		}
		decoder.Reset()
		wrote, _, err := decoder.Transform(out[:], raw[i:i+n], true)
		if r, size := utf8.DecodeRune(out[:wrote]); err != nil || r == utf8.RuneError || size != wrote {
			return i
		}
		if n == 2 {
			known[[2]byte(raw[i:])] = true
		}
		i += n
	}
	return -1
}

// lengthGB18030 returns the bytes of the character that raw begins with, or 0
// if it is none.
func lengthGB18030(raw []byte) int {
	in := func(i int, low, high byte) bool { return i < len(raw) && raw[i] >= low && raw[i] <= high }
	switch {
	case in(0, 0, 0x7f):
		return 1
	case !in(0, 0x81, 0xfe):
		return 0
	case in(1, 0x40, 0x7e), in(1, 0x80, 0xfe):
		return 2
	case in(1, '0', '9') && in(2, 0x81, 0xfe) && in(3, '0', '9'):
		return 4
	}
	return 0
}

// EncodeGB18030 writes a text as older systems of hospitals do. The error is for
// a text that is not UTF-8.
func EncodeGB18030(text string) ([]byte, error) {
	return simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(text))
}
