package phenopacket

import "github.com/raresync/raresync/registry/jsontree"

// A document is split into parts that each hold some of its leaves, at the
// places where they stood: in an array an empty object keeps the place of an
// element that another part holds. Laying the parts over one another gives
// the document back.

// subtract returns what is in v and not in part, or nil if nothing is left.
func subtract(v, part *value) *value {
	if part == nil {
		return v
	}
	if part.Empty() && !v.Empty() {
		return v
	}
	if v.Kind != part.Kind || v.Kind != jsontree.Object && v.Kind != jsontree.Array {
		if v.Equal(part) {
			return nil
		}
		return v
	}
	if v.Kind == jsontree.Array {
		return subtractArray(v, part)
	}
	rest := jsontree.NewObject()
	for i, name := range v.Names {
		if left := subtract(v.Items[i], part.Get(name)); left != nil {
			rest.Set(name, left)
		}
	}
	if rest.Empty() {
		return nil
	}
	return rest
}

func subtractArray(v, part *value) *value {
	if len(v.Items) == 0 {
		return nil
	}
	rest := &value{Kind: jsontree.Array}
	for i, item := range v.Items {
		var left *value
		if i < len(part.Items) {
			left = subtract(item, part.Items[i])
		} else {
			left = item
		}
		if left == nil {
			left = jsontree.NewObject()
		}
		rest.Items = append(rest.Items, left)
	}
	return trim(rest)
}

// trim drops placeholders from the end of an array; it returns nil if nothing
// else is in it.
func trim(v *value) *value {
	for len(v.Items) > 0 && v.Items[len(v.Items)-1].Empty() {
		v.Items = v.Items[:len(v.Items)-1]
	}
	if len(v.Items) == 0 {
		return nil
	}
	return v
}

// merge lays two parts over one another. Where both have a leaf, a's stands.
func merge(a, b *value) *value {
	switch {
	case a == nil:
		return b
	case b == nil || b.Empty():
		return a
	case a.Empty():
		return b
	case a.Kind == jsontree.Object && b.Kind == jsontree.Object:
		return mergeObjects(a, b)
	case a.Kind == jsontree.Array && b.Kind == jsontree.Array:
		return mergeArrays(a, b)
	}
	return a
}

func mergeObjects(a, b *value) *value {
	out := jsontree.NewObject()
	for i, name := range a.Names {
		out.Set(name, merge(a.Items[i], b.Get(name)))
	}
	for i, name := range b.Names {
		if a.Get(name) == nil {
			out.Set(name, b.Items[i])
		}
	}
	return out
}

func mergeArrays(a, b *value) *value {
	out := &value{Kind: jsontree.Array}
	for i := range max(len(a.Items), len(b.Items)) {
		var x, y *value
		if i < len(a.Items) {
			x = a.Items[i]
		}
		if i < len(b.Items) {
			y = b.Items[i]
		}
		out.Items = append(out.Items, merge(x, y))
	}
	return out
}
