package custody_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/custody"
)

var secrets = [][]byte{bytes.Repeat([]byte{0xa5}, 32), []byte("another")}

func split(t testing.TB) [custody.Parts]custody.Part {
	t.Helper()
	parts, err := custody.Split(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestAnyTwoPartsGiveTheSecrets(t *testing.T) {
	parts := split(t)
	for i := range parts {
		for j := range parts {
			if i == j {
				continue
			}
			a, err := custody.Parse(parts[i].Marshal())
			if err != nil {
				t.Fatal(err)
			}
			got, err := custody.Join(a, parts[j])
			if err != nil || len(got) != 2 || !bytes.Equal(got[0], secrets[0]) || !bytes.Equal(got[1], secrets[1]) {
				t.Errorf("parts %d and %d give %d secrets, %v", i+1, j+1, len(got), err)
			}
		}
	}
}

func TestPartsThatDoNotBelongTogetherGiveNothing(t *testing.T) {
	one, two := split(t), split(t)
	for name, pair := range map[string][2]custody.Part{
		"of two splittings": {one[0], two[1]},
		"one twice":         {one[0], one[0]},
		"none":              {one[0], {}},
	} {
		if got, err := custody.Join(pair[0], pair[1]); !errors.Is(err, custody.ErrParts) || got != nil {
			t.Errorf("%s: %d secrets, %v, want ErrParts", name, len(got), err)
		}
	}
	good := one[0].Marshal()
	for at := range good {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		p, err := custody.Parse(bad)
		if err == nil {
			_, err = custody.Join(p, one[1])
		}
		if !errors.Is(err, custody.ErrParts) && !errors.Is(err, custody.ErrFormat) {
			t.Errorf("byte %d of %d changed: %v", at, len(good), err)
		}
	}
	newer := bytes.Clone(good)
	newer[1] = 2
	for name, raw := range map[string][]byte{"a newer format": newer, "cut short": good[:len(good)-1], "nothing": nil} {
		if _, err := custody.Parse(raw); !errors.Is(err, custody.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
}

func TestWhatCannotBeSplit(t *testing.T) {
	for name, s := range map[string][][]byte{
		"nothing": nil, "an empty secret": {{}}, "a long secret": {make([]byte, 1025)}, "too many": make([][]byte, 65),
	} {
		if _, err := custody.Split(s); err == nil {
			t.Errorf("%s was split", name)
		}
	}
}

func TestAPartDoesNotShowItself(t *testing.T) {
	part := split(t)[0]
	raw, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprintf("%v %+v %#v %s %x %d", part, part, part, part, part, part) + string(raw) + part.LogValue().String()
	if strings.Count(shown, "[custody part]") != 8 || strings.Contains(shown, "a5a5") {
		t.Errorf("a part shows as %s", shown)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(split(f)[0].Marshal())
	f.Add([]byte{0x85, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := custody.Parse(in)
		if err == nil && !bytes.Equal(p.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, p.Marshal())
		}
	})
}
