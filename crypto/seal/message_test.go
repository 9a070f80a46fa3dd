package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

func TestMessageOpensForItsReaderAndLabelOnly(t *testing.T) {
	r, message := newReader(t), []byte("a dealt share")
	sealed, err := r.Public().SealMessage("raresync/v1/test", message)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		by     *seal.ReaderPrivate
		label  string
		sealed []byte
		ok     bool
	}{
		"its reader, its label":    {r, "raresync/v1/test", sealed, true},
		"another reader":           {newReader(t), "raresync/v1/test", sealed, false},
		"another label":            {r, "raresync/v1/other", sealed, false},
		"a label with a zero byte": {r, "raresync/v1/test\x00", sealed, false},
		"no label":                 {r, "", sealed, false},
		"a byte missing":           {r, "raresync/v1/test", sealed[:len(sealed)-1], false},
		"a byte more":              {r, "raresync/v1/test", append(bytes.Clone(sealed), 0), false},
		"nothing":                  {r, "raresync/v1/test", nil, false},
	} {
		got, err := tc.by.OpenMessage(tc.label, tc.sealed)
		if tc.ok != (err == nil) || (!tc.ok && !errors.Is(err, seal.ErrWrap)) {
			t.Errorf("%s: %v", name, err)
		}
		if tc.ok && !bytes.Equal(got, message) {
			t.Errorf("%s: opened to %q", name, got)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := r.OpenMessage("raresync/v1/test", bad); !errors.Is(err, seal.ErrWrap) {
			t.Fatalf("byte %d changed: got %v, want SEAL001", i, err)
		}
	}
}
