package phenopacket

import (
	"bytes"
	"encoding/json"

	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// Masked returns a file with what identifies a person masked: numbers in texts,
// fields that name or locate somebody, and the subject's other ids. Of a file that
// is no JSON within the limits it returns nil.
func Masked(raw []byte) []byte {
	root, err := parse(maxDepth, bytes.TrimPrefix(raw, []byte("\ufeff")))
	if err != nil {
		return nil
	}
	mask(root, false, false)
	var out bytes.Buffer
	if json.Indent(&out, root.Append(nil, false), "", "  ") != nil {
		return nil
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// mask masks a value, all of it within a field that identifies.
func mask(v *value, identifies, subject bool) {
	if v.Kind == jsontree.Text && v.Text != "" && (identifies || leak(v.Text, nil) != "") || v.Kind == jsontree.Number && identifies {
		v.Kind, v.Text = jsontree.Text, rule.Mask(v.Text)
	}
	for i, item := range v.Items {
		if v.Kind != jsontree.Object {
			mask(item, identifies, subject)
			continue
		}
		name := v.Names[i]
		telling := identifies || namesPerson(name, subject) || name == "alternateIds" || name == "alternate_ids"
		if leak(name, nil) != "" {
			v.Rename(i, rule.Mask(name))
		}
		mask(item, telling, subject || name == "subject")
	}
}
