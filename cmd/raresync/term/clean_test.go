package term

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for name, tc := range map[string]struct{ s, want string }{
		"plain text is left alone":             {"Wilson 病 (E83.0)", "Wilson 病 (E83.0)"},
		"a colour sequence becomes text":       {"\x1b[31mred", `\x1b[31mred`},
		"a title sequence becomes text":        {"\x1b]0;x\a", `\x1b]0;x\x07`},
		"a line end stays on its line":         {"a\r\nb\tc", `a\x0d\x0ab\x09c`},
		"the one-byte CSI becomes text":        {"\u009b2J", `\u009b2J`},
		"text is not reversed":                 {"a\u202eb", `a\u202eb`},
		"an invisible joiner is seen":          {"a\u200db", `a\u200db`},
		"invisible tag letters are seen":       {"a\U000e0041", `a\U000e0041`},
		"line separators are seen":             {"\u2028\u2029", `\u2028\u2029`},
		"bytes that are no UTF-8 are seen":     {"a\xffb\xc3", `a\xffb\xc3`},
		"the replacement character is allowed": {"\ufffd\x01", "\ufffd\\x01"},
	} {
		if got := Clean(tc.s); got != tc.want {
			t.Errorf("%s: Clean(%q) = %q, want %q", name, tc.s, got, tc.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J 罕见病 \u202e\xff\U000e0001")
	f.Add("\ufffd\u2028\u0085")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("Clean(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if invisible(r) {
				t.Errorf("Clean(%q) = %q holds %#x", s, got, r)
			}
		}
		if again := Clean(got); again != got {
			t.Errorf("Clean(%q) = %q, cleaned again %q", s, got, again)
		}
		checkJSON(t, s)
	})
}

// checkJSON states that cleaned JSON prints safely and means what it meant.
func checkJSON(t *testing.T, s string) {
	t.Helper()
	doc, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var want, got string
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	clean := cleanJSON(doc)
	if err := json.Unmarshal(clean, &got); err != nil {
		t.Fatalf("cleanJSON(%q) = %q: %v", doc, clean, err)
	}
	if got != want {
		t.Errorf("cleanJSON(%q) means %q, want %q", doc, got, want)
	}
	for _, r := range string(clean) {
		if invisible(r) {
			t.Errorf("cleanJSON(%q) = %q holds %#x", doc, clean, r)
		}
	}
}
