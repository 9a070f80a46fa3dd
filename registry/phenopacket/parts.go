package phenopacket

import (
	"fmt"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
)

// A partKind is what stands under one name of the raresync member and becomes
// entries of its own.
type partKind struct {
	name   string
	of     entry.Type
	layout func(*lens, *value, *entry.Entry)
	single bool   // an object, where the others are lists of them
	from   string // the member that names the specimen it was made from
}

// partKinds are in the order in which their entries are made.
var partKinds = []partKind{
	{"followUps", entry.TypeFollowUp, visitLayout, false, ""},
	{"specimens", entry.TypeSpecimen, specimenLayout, false, "derivedFrom"},
	{"treatments", entry.TypeTreatment, treatmentLayout, false, ""},
	{"death", entry.TypeDeath, deathLayout, true, ""},
	{"referrals", entry.TypeReferral, referralLayout, false, ""},
}

// A cut is one part, taken out of a packet.
type cut struct {
	partKind
	value  *value
	path   string
	native string // of an element of the schema's own lists, its mark
	place  int    // of such an element, in its list
}

// cutParts takes the parts out of the clinical part of a packet. What is not
// shaped like parts stays in it.
func cutParts(clinical *value) (rest *value, parts []cut) {
	rest = clinical
	for _, k := range partKinds {
		found := k.in(clinical.Get("raresync"))
		if len(found) == 0 {
			continue
		}
		if rest == clinical {
			rest = clinical.Clone()
		}
		rest.Get("raresync").Remove(k.name)
		parts = append(parts, found...)
	}
	if block := rest.Get("raresync"); len(parts) > 0 && block.Empty() {
		rest.Remove("raresync")
	}
	return rest, parts
}

// in returns the parts of this kind, or none unless all are objects.
func (k partKind) in(block *value) (parts []cut) {
	member := block.Get(k.name)
	if k.single {
		if member.IsObject() && !member.Empty() {
			parts = append(parts, cut{partKind: k, value: member, path: "$.raresync." + k.name})
		}
		return parts
	}
	for i, item := range member.List() {
		if !item.IsObject() {
			return nil
		}
		parts = append(parts, cut{partKind: k, value: item, path: place("$.raresync."+k.name, i)})
	}
	return parts
}

func (m mapping) partEntry(part cut, of [32]byte) (entry.Entry, error) {
	e := m.blank(part.of, part.value, of)
	e.Facts = entry.Blank(part.of).Under(of)
	m.lens.within(part.path, func() { part.layout(m.lens, part.value, &e) })
	value := part.value
	if part.native != "" {
		value = part.extension()
	}
	rest, err := m.remainder(value, part.write(&e))
	*e.Extension() = rest
	return e, err
}

// write returns what the fields of a part of this kind say.
func (k partKind) write(e *entry.Entry) *value {
	v := jsontree.NewObject()
	k.layout(&lens{writing: true}, v, e)
	return v
}

// derive has specimens name the entries of those that they were made from. A
// name that no specimen of the packet has, or only itself, is SP002.
func (m mapping) derive(parts []cut, entries []entry.Entry) {
	ids := map[string][32]byte{}
	for i, part := range parts {
		if name := part.value.Get("id").Str(); part.of == entry.TypeSpecimen && name != "" {
			ids[name] = entries[i].ID
		}
	}
	for i, part := range parts {
		from := part.value.Get(part.from)
		if part.of != entry.TypeSpecimen || !from.Given() {
			continue
		}
		id, known := ids[from.Str()]
		if !known || id == entries[i].ID {
			m.lens.within(part.path, func() { m.lens.find("SP002", part.from, "") })
			continue
		}
		entries[i].Specimen.DerivedFrom = id
	}
}

// addParts puts parts back into a packet, those of the schema's own lists at
// their places, the others in the order in which they are given.
func addParts(packet *value, parts []entry.Entry) error {
	left := len(parts)
	var natives []native
	for i := range parts {
		n, err := nativeOf(parts[i])
		if err != nil {
			return err
		}
		if n.element != nil {
			natives = append(natives, n)
		}
	}
	addNative(packet, natives)
	for _, k := range partKinds {
		list := &value{Kind: jsontree.Array}
		for i := range parts {
			if parts[i].Of() != k.of {
				continue
			}
			left--
			if n, _ := nativeOf(parts[i]); n.element != nil {
				continue
			}
			part, err := restore(k.write(&parts[i]), *parts[i].Extension())
			if err != nil {
				return err
			}
			list.Items = append(list.Items, part)
		}
		switch {
		case len(list.Items) == 0:
		case k.single:
			block(packet).Set(k.name, list.Items[len(list.Items)-1])
		default:
			block(packet).Set(k.name, list)
		}
	}
	if left != 0 {
		return fmt.Errorf("write phenopacket: %d entries are no parts of a case", left)
	}
	return nil
}

// specimens gives the specimens of a packet neutral names.
func (d *deidentifier) specimens(packet *value) {
	list := packet.At("raresync", "specimens").List()
	for _, specimen := range list {
		d.replace(specimen, "id", "specimen")
	}
	for _, specimen := range list {
		d.replace(specimen, "derivedFrom", "specimen")
	}
}
