package canary

import (
	"encoding/hex"
	"slices"
)

// nameRunes are the characters of made-up names: those of rare surnames.
var nameRunes = []rune("慕容晓峰欧阳文静司徒璇玑皇甫嵩诸葛瑾轩辕鸿赫连勃夏侯渊独孤" +
	"伽澹台灭令狐聪尉迟恭濮钰淳于琼钟离昧闾丘冲宇邕长孙晟鲜辅")

// nameGB holds the same characters in GB 18030, two bytes each.
var nameGB = mustHex("c4bdc8ddcffeb7e5c5b7d1f4cec4beb2cbbecdbde8afe7e1bbcab8a6e1d4d6eeb8f0e8aad0f9d4afbae8bad5c1acb2aa" +
	"cfc4baeed4a8b6c0b9c2d9a4e5a3cca8c3f0c1eebafcb4cfcebeb3d9b9a7e5a7eedab4bed3dac7edd6d3c0ebc3c1e3cc" +
	"c7f0b3e5d3eee7dfb3a4cbefeac9cfcab8a8")

func mustHex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

// GB18030 encodes ASCII and the characters that [Mint.Name] uses, as older
// systems of hospitals would write them; ok is false if a text has others.
func GB18030(text string) (raw []byte, ok bool) {
	for _, r := range text {
		at := slices.Index(nameRunes, r)
		switch {
		case r < 0x80:
			raw = append(raw, byte(r))
		case at < 0:
			return nil, false
		default:
			raw = append(raw, nameGB[2*at:2*at+2]...)
		}
	}
	return raw, true
}
