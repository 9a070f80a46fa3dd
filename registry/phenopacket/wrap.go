package phenopacket

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

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
	root, err := parse(raw)
	if err != nil {
		return nil, rule.Refuse("PP002", where(name, "$"), reason(err))
	}
	if clash := root.rename("$"); clash != "" {
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
	if errors.Is(err, errJSON) {
		return err.Error()
	}
	return errJSON.Error()
}

// packetFields are those of which any makes an object a phenopacket.
var packetFields = []string{"subject", "phenotypicFeatures", "diseases", "interpretations", "biosamples", "medicalActions", "metaData"}

// unwrap returns the packets of a document, or why it holds none. What a
// Family or Cohort says beyond its members stays with the first of them, in
// the raresync member, so that an export can give it back.
func unwrap(root *value) (members []member, bad string) {
	has := func(name string) bool { return root.get(name) != nil }
	switch {
	case !root.isObject():
		return nil, "the document is no object"
	case has("resourceType"):
		return nil, "this is a FHIR resource"
	case root.get("proband").isObject():
		return family(root), ""
	case root.get("members").list() != nil:
		return cohort(root), ""
	case !slices.ContainsFunc(packetFields, has):
		return nil, "no field of a phenopacket"
	}
	if v := root.at("metaData", "phenopacketSchemaVersion").str(); len(v) > 0 && v[0] == '1' {
		return nil, "phenopacket of schema version 1"
	}
	return []member{{"$", root}}, ""
}

func family(root *value) []member {
	members := []member{{"$.proband", root.remove("proband")}}
	for i, relative := range root.remove("relatives").list() {
		members = append(members, member{place("$.relatives", i), relative})
	}
	if parents := root.get("consanguinousParents"); parents != nil && parents.kind == literal && parents.text != "null" {
		root.remove("consanguinousParents")
		answer := "no"
		if parents.text == "true" {
			answer = "yes"
		}
		block(members[0].tree).set("consanguinity", textOf(answer))
	}
	return keepWrapper(members, "family", root)
}

func cohort(root *value) []member {
	var members []member
	for i, packet := range root.remove("members").list() {
		members = append(members, member{place("$.members", i), packet})
	}
	return keepWrapper(members, "cohort", root)
}

func keepWrapper(members []member, name string, rest *value) []member {
	if len(members) > 0 && members[0].tree.isObject() {
		block(members[0].tree).set(name, rest)
	}
	return members
}

// block returns the raresync member, which it adds if it is missing.
func block(packet *value) *value {
	if !packet.get("raresync").isObject() {
		packet.set("raresync", newObject())
	}
	return packet.get("raresync")
}

// wrap puts a packet back into the Family or Cohort it came in.
func wrap(packet *value, id string) *value {
	extra := packet.get("raresync")
	var out *value
	if w := extra.get("family"); w.isObject() {
		out = newObject()
		out.set("id", textOf(id))
		out.set("proband", packet)
		if answer := extra.get("consanguinity").str(); answer == "yes" || answer == "no" {
			out.set("consanguinousParents", &value{kind: literal, text: fmt.Sprint(answer == "yes")})
			extra.remove("consanguinity")
		}
		out = merge(out, extra.remove("family"))
	} else if w := extra.get("cohort"); w.isObject() {
		out = newObject()
		out.set("id", textOf(id))
		out.set("members", &value{kind: array, items: []*value{packet}})
		out = merge(out, extra.remove("cohort"))
	}
	if extra.isObject() && extra.empty() {
		packet.remove("raresync")
	}
	if out == nil {
		return packet
	}
	return out
}
