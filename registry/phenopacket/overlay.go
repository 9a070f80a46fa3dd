package phenopacket

// A document is split into parts that each hold some of its leaves, at the
// places where they stood: in an array an empty object keeps the place of an
// element that another part holds. Laying the parts over one another gives
// the document back.

// subtract returns what is in v and not in part, or nil if nothing is left.
func subtract(v, part *value) *value {
	if part == nil {
		return v
	}
	if part.empty() && !v.empty() {
		return v
	}
	if v.kind != part.kind || v.kind != object && v.kind != array {
		if v.equal(part) {
			return nil
		}
		return v
	}
	if v.kind == array {
		return subtractArray(v, part)
	}
	rest := newObject()
	for i, name := range v.names {
		if left := subtract(v.items[i], part.get(name)); left != nil {
			rest.set(name, left)
		}
	}
	if rest.empty() {
		return nil
	}
	return rest
}

func subtractArray(v, part *value) *value {
	if len(v.items) == 0 {
		return nil
	}
	rest := &value{kind: array}
	for i, item := range v.items {
		var left *value
		if i < len(part.items) {
			left = subtract(item, part.items[i])
		} else {
			left = item
		}
		if left == nil {
			left = newObject()
		}
		rest.items = append(rest.items, left)
	}
	return trim(rest)
}

// trim drops placeholders from the end of an array; it returns nil if nothing
// else is in it.
func trim(v *value) *value {
	for len(v.items) > 0 && v.items[len(v.items)-1].empty() {
		v.items = v.items[:len(v.items)-1]
	}
	if len(v.items) == 0 {
		return nil
	}
	return v
}

// merge lays two parts over one another. Where both have a leaf, a's stands.
func merge(a, b *value) *value {
	switch {
	case a == nil:
		return b
	case b == nil || b.empty():
		return a
	case a.empty():
		return b
	case a.kind == object && b.kind == object:
		return mergeObjects(a, b)
	case a.kind == array && b.kind == array:
		return mergeArrays(a, b)
	}
	return a
}

func mergeObjects(a, b *value) *value {
	out := newObject()
	for i, name := range a.names {
		out.set(name, merge(a.items[i], b.get(name)))
	}
	for i, name := range b.names {
		if a.get(name) == nil {
			out.set(name, b.items[i])
		}
	}
	return out
}

func mergeArrays(a, b *value) *value {
	out := &value{kind: array}
	for i := range max(len(a.items), len(b.items)) {
		var x, y *value
		if i < len(a.items) {
			x = a.items[i]
		}
		if i < len(b.items) {
			y = b.items[i]
		}
		out.items = append(out.items, merge(x, y))
	}
	return out
}
