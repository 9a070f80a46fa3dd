package cbor

// The major types of RFC 8949 section 3.1 that the protocol uses, already
// shifted into the initial byte's upper three bits.
const (
	majorUint  = 0 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
)

// AppendUint appends v as an unsigned integer in shortest form, 1 to 9 bytes.
func AppendUint(b []byte, v uint64) []byte { return appendHead(b, majorUint, v) }

// AppendBytes appends v as a byte string. A nil v encodes as an empty one.
func AppendBytes(b, v []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(v))), v...)
}

// AppendText appends s as a text string. The caller sees to it that s is
// valid UTF-8: a decoder refuses anything else.
func AppendText(b []byte, s string) []byte {
	return append(appendHead(b, majorText, uint64(len(s))), s...)
}

// AppendArray appends the head of an array of n items; the caller appends the
// items after it.
func AppendArray(b []byte, n int) []byte { return appendHead(b, majorArray, uint64(n)) }

// AppendBool appends v as the integer 0 or 1: the encoding has no booleans.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= 0xff:
		return append(b, major|24, byte(n))
	case n <= 0xffff:
		return append(b, major|25, byte(n>>8), byte(n))
	case n <= 0xffffffff:
		return append(b, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32),
		byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}
