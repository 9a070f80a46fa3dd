package tlog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	formats "github.com/transparency-dev/formats/log"
)

// The example of C2SP tlog-cosignature: a checkpoint, a log's signature and a
// witness's, by keys that are not published.
const specNote = `example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
`

const specText = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"

func TestSpecificationExampleIsRead(t *testing.T) {
	sc := must(ParseSignedCheckpoint([]byte(specNote)))
	if sc.Origin != "example.com/behind-the-sofa" || sc.Size != 20852163 || sc.Root[0] != 0x0a {
		t.Errorf("got checkpoint %+v", sc.Checkpoint)
	}
	if got := string(sc.Text()); got != specText {
		t.Errorf("text: got %q, want %q", got, specText)
	}
	if len(sc.Signatures) != 2 {
		t.Fatalf("signatures: got %d, want 2", len(sc.Signatures))
	}
	want := []NoteSignature{{Name: sc.Origin, KeyID: 0x033de0ae}, {Name: "witness.example.com/w1", KeyID: 0x8d66cf3f}}
	for i, got := range sc.Signatures {
		if got.Name != want[i].Name || got.KeyID != want[i].KeyID {
			t.Errorf("signature %d: got %s %08x, want %s %08x", i, got.Name, got.KeyID, want[i].Name, want[i].KeyID)
		}
	}
	if got := sc.Marshal(); string(got) != specNote {
		t.Errorf("written: got %q, want %q", got, specNote)
	}
}

func TestCheckpointTextIsReadByFormats(t *testing.T) {
	for _, c := range []Checkpoint{
		{Origin: testOrigin, Size: 0, Root: EmptyRoot},
		{Origin: "a", Size: MaxSize, Root: Hash{1}},
	} {
		var got formats.Checkpoint
		rest, err := got.Unmarshal(c.Text())
		if err != nil || len(rest) != 0 {
			t.Fatalf("%q: got %v with %d bytes left over", c.Text(), err, len(rest))
		}
		if got.Origin != c.Origin || got.Size != c.Size || !bytes.Equal(got.Hash, c.Root[:]) {
			t.Errorf("got %+v, want %+v", got, c)
		}
		if again := must(ParseCheckpointText(got.Marshal())); again != c {
			t.Errorf("back: got %+v, want %+v", again, c)
		}
	}
}

func TestCheckpointTextIsSpelledOneWay(t *testing.T) {
	const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
	for name, text := range map[string]string{
		"empty":                    "",
		"no last line end":         "a\n1\n" + root,
		"an extension line":        "a\n1\n" + root + "\nmore\n",
		"an empty line":            "a\n1\n" + root + "\n\n",
		"a carriage return":        "a\n1\n" + root + "\r\n",
		"empty origin":             "\n1\n" + root + "\n",
		"origin in capitals":       "A\n1\n" + root + "\n",
		"origin with a space":      "a b\n1\n" + root + "\n",
		"origin too long":          strings.Repeat("a", 256) + "\n1\n" + root + "\n",
		"size with a zero":         "a\n01\n" + root + "\n",
		"size with a sign":         "a\n+1\n" + root + "\n",
		"size with a space":        "a\n1 \n" + root + "\n",
		"size of letters":          "a\none\n" + root + "\n",
		"no size":                  "a\n\n" + root + "\n",
		"size of 2^63":             "a\n9223372036854775808\n" + root + "\n",
		"size of 2^64":             "a\n18446744073709551616\n" + root + "\n",
		"root of 31 bytes":         "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
		"root not in base64":       "a\n1\n????????????????????????????????????????????\n",
		"root without its padding": "a\n1\n" + root[:43] + "\n",
		"root with stray bits":     "a\n1\n" + root[:42] + "J=\n",
		"empty tree, another root": "a\n0\n" + root + "\n",
		"far too long":             strings.Repeat("a\n", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseCheckpointText([]byte(text))
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestSignedCheckpointIsSpelledOneWay(t *testing.T) {
	const line = "— w AAAAAAA=\n" // key id 0, blob of one byte
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "— w%d AAAAAAA=\n", i)
		}
		return specText + "\n" + b.String()
	}
	for name, tc := range map[string]struct {
		note string
		want error
	}{
		"one signature":                  {specText + "\n" + line, nil},
		"64 signatures":                  {many(64), nil},
		"a name in another script":       {specText + "\n— 见证 AAAAAAA=\n", nil},
		"65 signatures":                  {many(65), ErrMalformed},
		"no signature":                   {specText + "\n", ErrMalformed},
		"no empty line":                  {specText, ErrMalformed},
		"two empty lines":                {specText + "\n\n" + line, ErrMalformed},
		"an empty line behind":           {specText + "\n" + line + "\n", ErrMalformed},
		"an extension line":              {specText + "extension\n\n" + line, ErrMalformed},
		"no last line end":               {specText + "\n" + line[:len(line)-1], ErrMalformed},
		"a hyphen for the dash":          {specText + "\n- w AAAAAAA=\n", ErrMalformed},
		"no name":                        {specText + "\n—  AAAAAAA=\n", ErrMalformed},
		"a plus sign in the name":        {specText + "\n— w+ AAAAAAA=\n", ErrMalformed},
		"a wide space in the name":       {specText + "\n— w\u3000x AAAAAAA=\n", ErrMalformed},
		"a control character":            {specText + "\n— w\x01 AAAAAAA=\n", ErrMalformed},
		"a name that is not UTF-8":       {specText + "\n— w\xff AAAAAAA=\n", ErrMalformed},
		"a name too long":                {specText + "\n— " + strings.Repeat("w", 256) + " AAAAAAA=\n", ErrMalformed},
		"no signature behind a name":     {specText + "\n— w\n", ErrMalformed},
		"a key id alone":                 {specText + "\n— w AAAAAA==\n", ErrMalformed},
		"stray bits in base64":           {specText + "\n— w AAAAAAB=\n", ErrMalformed},
		"a carriage return":              {specText + "\n— w AAAAAAA=\r\n", ErrMalformed},
		"two spaces before the base64":   {specText + "\n— w  AAAAAAA=\n", ErrMalformed},
		"a space behind":                 {specText + "\n— w AAAAAAA= \n", ErrMalformed},
		"two by one name and key id":     {specText + "\n" + line + "— w AAAAAAE=\n", ErrMalformed},
		"longer than any signed message": {specText + "\n" + line + strings.Repeat("A", MaxSignedCheckpointBytes), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			sc, err := ParseSignedCheckpoint([]byte(tc.note))
			wantError(t, err, tc.want)
			if err == nil && string(sc.Marshal()) != tc.note {
				t.Fatalf("written %q, want %q", sc.Marshal(), tc.note)
			}
		})
	}
}

func TestLargestSignedCheckpointFits(t *testing.T) {
	sc := SignedCheckpoint{Checkpoint: Checkpoint{Origin: strings.Repeat("a", MaxNameBytes), Size: MaxSize}}
	for i := range MaxSignatures {
		name := fmt.Sprintf("%0*d", MaxNameBytes, i)
		sc.Signatures = append(sc.Signatures, NoteSignature{Name: name, Blob: make([]byte, 8+2420)})
	}
	if note := sc.Marshal(); len(note) > MaxSignedCheckpointBytes {
		t.Errorf("got %d bytes, want at most %d", len(note), MaxSignedCheckpointBytes)
	} else if got := must(ParseSignedCheckpoint(note)); len(got.Signatures) != MaxSignatures {
		t.Errorf("got %d signatures, want %d", len(got.Signatures), MaxSignatures)
	}
}

func FuzzParseCheckpointText(f *testing.F) {
	f.Add([]byte(specText))
	f.Add([]byte("a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"))
	f.Add([]byte("a\n01\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := ParseCheckpointText(text); err == nil && !bytes.Equal(c.Text(), text) {
			t.Fatalf("%q is written %q", text, c.Text())
		}
	})
}

func FuzzParseSignedCheckpoint(f *testing.F) {
	f.Add([]byte(specNote))
	f.Add([]byte(specText + "\n— w AAAAAAA=\n"))
	f.Add([]byte(specText + "\n— w AAAAAAB=\n"))
	f.Fuzz(func(t *testing.T, note []byte) {
		if sc, err := ParseSignedCheckpoint(note); err == nil && !bytes.Equal(sc.Marshal(), note) {
			t.Fatalf("%q is written %q", note, sc.Marshal())
		}
	})
}
