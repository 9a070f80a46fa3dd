package phenopacket

import (
	"fmt"

	"github.com/raresync/raresync/registry/entry"
)

// A partKind is what stands under one name of the raresync member and becomes
// entries of its own.
type partKind struct {
	name   string
	of     entry.Type
	layout func(*lens, *value, *entry.Entry)
	single bool // an object, where the others are lists of them
}

// partKinds are in the order in which their entries are made.
var partKinds = []partKind{
	{"followUps", entry.TypeFollowUp, visitLayout, false},
	{"specimens", entry.TypeSpecimen, specimenLayout, false},
	{"treatments", entry.TypeTreatment, treatmentLayout, false},
	{"death", entry.TypeDeath, deathLayout, true},
	{"referrals", entry.TypeReferral, referralLayout, false},
}

// A cut is one part, taken out of a packet.
type cut struct {
	partKind
	value *value
	path  string
}

// cutParts takes the parts out of the clinical part of a packet. What is not
// shaped like parts stays in it.
func cutParts(clinical *value) (rest *value, parts []cut) {
	rest = clinical
	for _, k := range partKinds {
		found := k.in(clinical.get("raresync"))
		if len(found) == 0 {
			continue
		}
		if rest == clinical {
			rest = clinical.clone()
		}
		rest.get("raresync").remove(k.name)
		parts = append(parts, found...)
	}
	if block := rest.get("raresync"); len(parts) > 0 && block.empty() {
		rest.remove("raresync")
	}
	return rest, parts
}

// in returns the parts of this kind, or none unless all are objects.
func (k partKind) in(block *value) (parts []cut) {
	member := block.get(k.name)
	if k.single {
		if member.isObject() && !member.empty() {
			parts = append(parts, cut{k, member, "$.raresync." + k.name})
		}
		return parts
	}
	for i, item := range member.list() {
		if !item.isObject() {
			return nil
		}
		parts = append(parts, cut{k, item, place("$.raresync."+k.name, i)})
	}
	return parts
}

func (m mapping) partEntry(part cut, of [32]byte) (entry.Entry, error) {
	e := m.blank(part.of, part.value, of)
	e.Facts = entry.Blank(part.of).Under(of)
	m.lens.within(part.path, func() { part.layout(m.lens, part.value, &e) })
	rest, err := m.remainder(part.value, part.write(&e))
	*e.Extension() = rest
	return e, err
}

// write returns what the fields of a part of this kind say.
func (k partKind) write(e *entry.Entry) *value {
	v := newObject()
	k.layout(&lens{writing: true}, v, e)
	return v
}

// derive has specimens name the entries of those that they were made from. A
// name that no specimen of the packet has, or only itself, is SP002.
func (m mapping) derive(parts []cut, entries []entry.Entry) {
	ids := map[string][32]byte{}
	for i, part := range parts {
		if name := part.value.get("id").str(); part.of == entry.TypeSpecimen && name != "" {
			ids[name] = entries[i].ID
		}
	}
	for i, part := range parts {
		from := part.value.get("derivedFrom")
		if part.of != entry.TypeSpecimen || !from.given() {
			continue
		}
		id, known := ids[from.str()]
		if !known || id == entries[i].ID {
			m.lens.within(part.path, func() { m.lens.find("SP002", "derivedFrom", "") })
			continue
		}
		entries[i].Specimen.DerivedFrom = id
	}
}

// addParts puts parts back into a packet, in the order in which they are given.
func addParts(packet *value, parts []entry.Entry) error {
	left := len(parts)
	for _, k := range partKinds {
		list := &value{kind: array}
		for i := range parts {
			if parts[i].Of() != k.of {
				continue
			}
			part, err := restore(k.write(&parts[i]), *parts[i].Extension())
			if err != nil {
				return err
			}
			list.items = append(list.items, part)
		}
		switch left -= len(list.items); {
		case len(list.items) == 0:
		case k.single:
			block(packet).set(k.name, list.items[len(list.items)-1])
		default:
			block(packet).set(k.name, list)
		}
	}
	if left != 0 {
		return fmt.Errorf("write phenopacket: %d entries are no parts of a case", left)
	}
	return nil
}

// specimens gives the specimens of a packet neutral names.
func (d *deidentifier) specimens(packet *value) {
	list := packet.at("raresync", "specimens").list()
	for _, specimen := range list {
		d.replace(specimen, "id", "specimen")
	}
	for _, specimen := range list {
		d.replace(specimen, "derivedFrom", "specimen")
	}
}
