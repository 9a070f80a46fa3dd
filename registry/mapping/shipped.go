package mapping

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed profiles/*.toml
var profiles embed.FS

// shippedNames are the shipped profiles; the first is made of [Columns].
var shippedNames = []string{"template", "frontpage", "rarelink"}

// Shipped returns the profiles that are part of the program. They belong to the
// caller.
func Shipped() (all []*Profile) {
	for _, name := range shippedNames {
		p, _ := ShippedProfile(name)
		all = append(all, p)
	}
	return all
}

// ShippedProfile returns a shipped profile by its name.
func ShippedProfile(name string) (*Profile, bool) {
	text, ok := ShippedText(name)
	if !ok {
		return nil, false
	}
	p, err := Parse(name, text)
	if err != nil {
		panic(fmt.Sprintf("shipped profile %s: %v", name, err)) // a test parses all
	}
	return p, true
}

// ShippedText returns a shipped profile as it is written, to be copied and
// changed.
func ShippedText(name string) (string, bool) {
	if name == shippedNames[0] {
		return templateText(), true
	}
	raw, err := profiles.ReadFile("profiles/" + name + ".toml")
	return string(raw), err == nil
}

// templateText writes the profile of the template's own columns, which have
// their headings in either language.
func templateText() string {
	var b strings.Builder
	b.WriteString("# The columns of the table that `raresync template` writes.\n\n")
	b.WriteString("title = { zh = \"本系统模板\", en = \"raresync's own template\" }\n")
	either := func(key string) string { return head(key).ZH + "|" + head(key).EN }
	fmt.Fprintf(&b, "known_by = [%q, %q, %q]\n", either("record"), either("disease"), either("list_number"))
	b.WriteString("identifying = [\"姓名\", \"患者姓名\", \"联系电话\", \"name\"]\n")
	for i := range fields {
		if f := &fields[i]; !f.noted && !isDiagnosisKey(f.Key) {
			fmt.Fprintf(&b, "\n[fields.%s]\ncolumns = [%q, %q]\n", f.Key, f.Heading.ZH, f.Heading.EN)
		}
	}
	b.WriteString("\n[[diagnosis]]\n")
	for i, key := range diagnosisKeys {
		fmt.Fprintf(&b, "%s = [%q, %q]\n", diagnosisParts[i], head(key).ZH, head(key).EN)
	}
	return b.String()
}

func head(key string) Words { return fieldOf(key).Heading }

func isDiagnosisKey(key string) bool {
	return slices.Contains(diagnosisKeys, key)
}
