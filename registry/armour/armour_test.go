package armour_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/armour"
)

func TestOneBlockGoesInAndComesOut(t *testing.T) {
	file := armour.Wrap("RARESYNC CARD", []byte("content"))
	got, err := armour.Unwrap("RARESYNC CARD", file, 1000)
	if err != nil || string(got) != "content" {
		t.Errorf("got %q, %v", got, err)
	}
	headed := bytes.Replace(file, []byte("-----\n"), []byte("-----\nA: b\n\n"), 1)
	for name, tc := range map[string]struct {
		file []byte
		says string
	}{
		"another type": {armour.Wrap("RARESYNC DRAFT", nil), "file holds a RARESYNC DRAFT"},
		"two blocks":   {append(bytes.Clone(file), file...), "more than one block"},
		"a header":     {headed, "more than one block"},
		"no block":     {[]byte("text"), "no RARESYNC CARD block"},
		"too large":    {bytes.Repeat([]byte("x"), 1001), "larger than 1000 bytes"},
	} {
		if _, err := armour.Unwrap("RARESYNC CARD", tc.file, 1000); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}
