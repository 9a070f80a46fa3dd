package phenopacket

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// A member is one packet of a file, with its path in it.
type member struct {
	path string
	tree *value
}

// open parses a file and takes it apart into its packets.
func open(name string, raw []byte) ([]member, error) {
	if !utf8.Valid(raw) {
		return nil, rule.Refuse("FM001", where(name, "$"), "not UTF-8")
	}
	root, err := parse(maxDepth, raw)
	if err != nil {
		return nil, rule.Refuse("PP002", where(name, "$"), reason(err))
	}
	if clash := rename(root, nil); clash != "" {
		return nil, rule.Refuse("PP002", where(name, clash), "a field is given in both spellings")
	}
	members, bad := unwrap(root)
	if bad != "" {
		return nil, rule.Refuse("PP002", where(name, "$"), bad)
	}
	return members, nil
}

// reason returns what a parse error says behind its general opening.
func reason(err error) string {
	if errors.Is(err, jsontree.ErrJSON) {
		return err.Error()
	}
	return jsontree.ErrJSON.Error()
}

// packetFields are those of which any makes an object a phenopacket.
var packetFields = []string{"subject", "phenotypicFeatures", "diseases", "interpretations", "biosamples", "medicalActions", "metaData"}

// unwrap returns the packets of a document, or why it holds none. What a
// Family or Cohort says beyond its members stays with the first of them, in
// the raresync member, so that an export can give it back.
func unwrap(root *value) (members []member, bad string) {
	has := func(name string) bool { return root.Get(name) != nil }
	switch {
	case !root.IsObject():
		return nil, "the document is no object"
	case has("resourceType"):
		return nil, "this is a FHIR resource"
	case root.Get("proband").IsObject():
		return family(root), ""
	case root.Get("members").List() != nil:
		return cohort(root), ""
	case !slices.ContainsFunc(packetFields, has):
		return nil, "no field of a phenopacket"
	}
	if v := root.At("metaData", "phenopacketSchemaVersion").Str(); len(v) > 0 && v[0] == '1' {
		return nil, "phenopacket of schema version 1"
	}
	return []member{{"$", root}}, ""
}

func family(root *value) []member {
	members := []member{{"$.proband", root.Remove("proband")}}
	for i, relative := range root.Remove("relatives").List() {
		members = append(members, member{place("$.relatives", i), relative})
	}
	if parents := root.Get("consanguinousParents"); parents != nil && parents.Kind == jsontree.Literal && parents.Text != "null" {
		root.Remove("consanguinousParents")
		answer := "no"
		if parents.Text == "true" {
			answer = "yes"
		}
		block(members[0].tree).Set("consanguinity", jsontree.TextOf(answer))
	}
	return keepWrapper(members, "family", root)
}

func cohort(root *value) []member {
	var members []member
	for i, packet := range root.Remove("members").List() {
		members = append(members, member{place("$.members", i), packet})
	}
	return keepWrapper(members, "cohort", root)
}

func keepWrapper(members []member, name string, rest *value) []member {
	if len(members) > 0 && members[0].tree.IsObject() {
		block(members[0].tree).Set(name, rest)
	}
	return members
}

// block returns the raresync member, which it adds if it is missing.
func block(packet *value) *value {
	if !packet.Get("raresync").IsObject() {
		packet.Set("raresync", jsontree.NewObject())
	}
	return packet.Get("raresync")
}

// wrap puts a packet back into the Family or Cohort it came in.
func wrap(packet *value, id string) *value {
	extra := packet.Get("raresync")
	var out *value
	if w := extra.Get("family"); w.IsObject() {
		out = jsontree.NewObject()
		out.Set("id", jsontree.TextOf(id))
		out.Set("proband", packet)
		if answer := extra.Get("consanguinity").Str(); answer == "yes" || answer == "no" {
			out.Set("consanguinousParents", &value{Kind: jsontree.Literal, Text: fmt.Sprint(answer == "yes")})
			extra.Remove("consanguinity")
		}
		out = merge(out, extra.Remove("family"))
	} else if w := extra.Get("cohort"); w.IsObject() {
		out = jsontree.NewObject()
		out.Set("id", jsontree.TextOf(id))
		out.Set("members", &value{Kind: jsontree.Array, Items: []*value{packet}})
		out = merge(out, extra.Remove("cohort"))
	}
	if extra.IsObject() && extra.Empty() {
		packet.Remove("raresync")
	}
	if out == nil {
		return packet
	}
	return out
}
