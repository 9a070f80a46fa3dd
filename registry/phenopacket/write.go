package phenopacket

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
)

// Write joins a case, its genetics (nil where the reader of the export has no
// right to it) and its other parts into one phenopacket of schema version 2,
// lowerCamelCase, indented. id is the neutral name under which the patient
// appears in the export, such as "case-000017".
//
// What Read took from a packet comes back as it was, less what
// docs/DEIDENTIFICATION.md lists. Of an entry from another source only the
// first code of each disease is written.
func Write(c entry.Entry, genetics *entry.Entry, id string, parts ...entry.Entry) ([]byte, error) {
	if c.Case == nil || genetics != nil && genetics.Genetics == nil {
		return nil, fmt.Errorf("write phenopacket: not a case with its genetics")
	}
	packet, err := restore(writeCase(&c), c.Case.Extension)
	if err != nil {
		return nil, err
	}
	if genetics != nil {
		part, err := restore(writeGenetics(genetics), genetics.Genetics.Extension)
		if err != nil {
			return nil, err
		}
		packet = merge(packet, part)
	}
	if err := addParts(packet, parts); err != nil {
		return nil, err
	}
	return finish(packet, id), nil
}

// Deidentify returns what a file becomes on the way through entries and back:
// one JSON document per member, under the given id. It is the measure that an
// export is compared with.
func Deidentify(raw []byte, id string) ([][]byte, error) {
	packets, err := Read("", bytes.NewReader(raw), Limits{MaxBytes: int64(len(raw)) + 1})
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, p := range packets {
		out = append(out, finish(p.tree.Clone(), id))
	}
	return out, nil
}

func writeCase(e *entry.Entry) *value {
	v := jsontree.NewObject()
	caseLayout(&lens{writing: true}, v, e)
	return v
}

func writeGenetics(e *entry.Entry) *value {
	v := jsontree.NewObject()
	geneticsLayout(&lens{writing: true}, v, e)
	return v
}

// restore lays the extension over the fields. The extension comes from an
// entry, which another hospital made, so it is parsed with the same bounds.
func restore(fields *value, extension []byte) (*value, error) {
	if len(extension) == 0 {
		return fields, nil
	}
	rest, err := parse(maxDepth+wrapDepth, extension)
	if err != nil {
		return nil, fmt.Errorf("write phenopacket: extension: %w", err)
	}
	if !rest.IsObject() {
		return nil, fmt.Errorf("write phenopacket: extension: %w: no object", jsontree.ErrJSON)
	}
	return merge(fields, rest), nil
}

// finish names the patient, puts the packet back into its wrapper and writes
// it.
func finish(packet *value, id string) []byte {
	if packet.Get("metaData") == nil {
		meta := jsontree.NewObject()
		meta.Set("phenopacketSchemaVersion", jsontree.TextOf("2.0"))
		packet.Set("metaData", meta)
	}
	packet.Set("id", jsontree.TextOf(id))
	if subject := packet.Get("subject"); subject.IsObject() {
		subject.Set("id", jsontree.TextOf(id))
	}
	nameSubject(packet, id)
	arrange(packet)
	var out bytes.Buffer
	if err := json.Indent(&out, wrap(packet, id).Append(nil, false), "", "  "); err != nil {
		panic("phenopacket: wrote what is not JSON: " + err.Error())
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// topOrder is the order of a packet's members in the schema.
var topOrder = []string{"id", "subject", "phenotypicFeatures", "measurements", "biosamples", "interpretations",
	"diseases", "medicalActions", "files", "raresync", "metaData"}

// arrange puts the members of a packet into the order of the schema, unknown
// ones last.
func arrange(packet *value) {
	out := jsontree.NewObject()
	for _, name := range topOrder {
		if item := packet.Get(name); item != nil {
			out.Set(name, item)
		}
	}
	for i, name := range packet.Names {
		if !slices.Contains(topOrder, name) {
			out.Set(name, packet.Items[i])
		}
	}
	*packet = *out
}
