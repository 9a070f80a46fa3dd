package integration

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
)

const (
	protocolPage = "docs/PROTOCOL.md"
	threatPage   = "docs/THREAT-MODEL.md"
)

// found returns what pattern's first group matches in text, or the whole
// match, and fails if that is nothing: a check of nothing proves nothing.
func found(t *testing.T, pattern, text string) []string {
	t.Helper()
	var all []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, m[len(m)-1])
	}
	if len(all) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	return all
}

func TestProtocolPageQuotesTheWorkedExample(t *testing.T) {
	e := readWorkedExample(t)
	var known strings.Builder
	for _, values := range []map[string]string{e.Given, e.Derived} {
		for _, v := range values {
			known.WriteString(v + "\n")
		}
	}
	for name, content := range e.files {
		if strings.HasSuffix(name, ".hex") {
			known.WriteString(hex.EncodeToString(unhexLines(t, content)) + "\n")
		}
	}
	for _, quoted := range found(t, `\b[0-9a-f]{16,}\b`, loadHouse(t, "..").texts[protocolPage]) {
		if !strings.Contains(known.String(), quoted) {
			t.Errorf("%s: %s is not in the worked example", protocolPage, quoted)
		}
	}
}

func TestProtocolPageListsWhatTheCodeHas(t *testing.T) {
	tree := loadHouse(t, "..")
	page := tree.texts[protocolPage]
	for file, pattern := range map[string]string{
		"consensus/state/refusal.go":  `Code = "([^"]+)"`,
		"daemon/peer/handler.go":      `mux\.Handle\("([^"]+)"`,
		"crypto/sign/purpose.go":      `Label = "([^"]+)"`,
		"registry/founding/armour.go": `= "(RARESYNC [A-Z]+)"`,
	} {
		for _, name := range found(t, pattern, tree.texts[file]) {
			if !strings.Contains(page, name) {
				t.Errorf("%s: %s of %s is missing", protocolPage, name, file)
			}
		}
	}
}

func TestThreatModelNamesTestsThatExist(t *testing.T) {
	tree := loadHouse(t, "..")
	var tests strings.Builder
	for _, f := range tree.goes {
		if f.test {
			tests.WriteString(tree.texts[f.path])
		}
	}
	for _, name := range found(t, `\b(?:Test|Fuzz)[A-Z][A-Za-z0-9]+\b`, tree.texts[threatPage]) {
		if !strings.Contains(tests.String(), "func "+name+"(") {
			t.Errorf("%s: there is no %s", threatPage, name)
		}
	}
}
