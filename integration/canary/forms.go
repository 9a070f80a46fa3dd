package canary

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	pieceBytes  = 8  // of a text that tell it from any other
	pieceDigits = 12 // of a number: eight digits occur by chance
)

// form is one way in which a marker may lie around.
type form struct {
	name  string
	text  []byte
	least int // bytes in a row that tell it, at least eight
}

// pieceOf returns how many bytes of a value tell it: all of a short number.
func pieceOf(value string) int {
	digits := 0
	for _, c := range value {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	if digits*2 > len(value) {
		return min(pieceDigits, len(value))
	}
	return pieceBytes
}

// formsOf returns every form of a marker. Base64 comes in three, for the three
// ways in which a text can fall on the groups of a stream; what depends on its
// neighbours is cut off.
func formsOf(m *Marker) []form {
	all := codings(m.Value, pieceOf(m.Value))
	for i := range all {
		all[i].least = min(max(all[i].least, pieceBytes), len(all[i].text))
		if m.Whole {
			all[i].least = len(all[i].text)
		}
	}
	return slices.DeleteFunc(all, func(f form) bool { return len(f.text) < pieceBytes })
}

// codings returns a value, of which piece bytes are told from anything else, in
// every code.
func codings(value string, piece int) []form {
	plain := []byte(value)
	all := []form{
		{"as it is", plain, piece},
		{"backwards", reversed(plain), piece},
	}
	all = append(all, coded("", plain, piece)...)
	for name, between := range map[string]string{"as Go prints bytes": " ", "as JSON lists bytes": ","} {
		all = append(all, form{name, listed(plain, between), shortest(plain, piece)})
	}
	if !utf8.ValidString(value) {
		return all
	}
	_, each := utf8.DecodeRuneInString(value) // bytes of a character
	units := (piece + each - 1) / each
	all = append(all,
		form{"in UTF-16LE", utf16In(binary.LittleEndian, value), 2 * units},
		form{"in UTF-16BE", utf16In(binary.BigEndian, value), 2 * units})
	if len(plain) > utf8.RuneCountInString(value) {
		all = append(all, foreign(value, piece)...)
	}
	return all
}

// foreign returns the forms that only texts beyond ASCII have.
func foreign(value string, piece int) []form {
	runes := []rune(value)
	slices.Reverse(runes)
	escape := strings.Trim(fmt.Sprintf("%+q", value), `"`)
	all := []form{
		{"with its characters backwards", []byte(string(runes)), piece},
		{"in JSON's escapes", []byte(escape), 6 * 3},
		{"in JSON's ESCAPES", []byte(strings.ReplaceAll(strings.ToUpper(escape), `\U`, `\u`)), 6 * 3},
		{"in a URL's escapes", percent(value), 3 * piece},
	}
	if gb, ok := GB18030(value); ok {
		all = append(all, form{"in GB 18030", gb, piece}, form{"in GB 18030 backwards", reversed(gb), piece})
		all = append(all, coded("GB 18030 in ", gb, piece)...)
	}
	return all
}

// coded returns bytes in hex and in base64.
func coded(prefix string, raw []byte, piece int) []form {
	digits := hex.EncodeToString(raw)
	all := []form{
		{prefix + "hex", []byte(digits), 2 * piece},
		{prefix + "HEX", []byte(strings.ToUpper(digits)), 2 * piece},
	}
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, shift, shift+len(raw)), raw...))
		text = text[[]int{0, 2, 3}[shift]:]
		text = strings.TrimRight(text, "=")
		text = text[:len(text)-1]
		least := (8*piece - 4) / 6
		all = append(all,
			form{fmt.Sprintf("%sbase64, %d", prefix, shift), []byte(text), least},
			form{fmt.Sprintf("%sbase64url, %d", prefix, shift), []byte(strings.NewReplacer("+", "-", "/", "_").Replace(text)), least})
	}
	return all
}

// listed writes bytes as decimal numbers.
func listed(raw []byte, between string) []byte {
	numbers := make([]string, len(raw))
	for i, b := range raw {
		numbers[i] = strconv.Itoa(int(b))
	}
	return []byte(strings.Join(numbers, between))
}

// shortest returns how many bytes the shortest list of piece bytes in a row has.
func shortest(raw []byte, piece int) int {
	least := math.MaxInt
	for i := 0; i+piece <= len(raw); i++ {
		least = min(least, len(listed(raw[i:i+piece], " ")))
	}
	return least
}

func percent(value string) []byte {
	var b []byte
	for _, c := range []byte(value) {
		b = fmt.Appendf(b, "%%%02X", c)
	}
	return b
}

func reversed(raw []byte) []byte {
	raw = slices.Clone(raw)
	slices.Reverse(raw)
	return raw
}

func utf16In(order binary.AppendByteOrder, value string) (b []byte) {
	for _, u := range utf16.Encode([]rune(value)) {
		b = order.AppendUint16(b, u)
	}
	return b
}
