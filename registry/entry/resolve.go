package entry

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
)

// listPrefix begins a code that names a row of the national lists.
const listPrefix = "LIST:"

// ListCode returns the code of a row of the national lists, "LIST:1.68".
func ListCode(list, number int) string { return fmt.Sprintf("%s%d.%d", listPrefix, list, number) }

// ParseListCode reads what ListCode wrote.
func ParseListCode(code string) (list, number int, ok bool) {
	n, err := fmt.Sscanf(code, listPrefix+"%d.%d", &list, &number)
	return list, number, err == nil && n == 2 && ListCode(list, number) == code
}

// Query returns what the disease says about itself, as the catalogue asks.
// Of several codes of one system the first is used; malformed codes and those
// of other systems are passed over.
func (d Disease) Query() catalog.Query {
	q := catalog.Query{Name: d.Text}
	for _, code := range d.Codes {
		if strings.HasPrefix(code, listPrefix) {
			if list, number, ok := ParseListCode(code); ok && q.List == 0 {
				q.List, q.Number = list, number
			}
			continue
		}
		system, id, err := catalog.NormalizeCode(code)
		if err != nil {
			continue
		}
		switch system {
		case catalog.ORPHA:
			q.ORPHA = first(q.ORPHA, id)
		case catalog.OMIM, catalog.OMIMPS:
			q.OMIM = first(q.OMIM, id)
		case catalog.ICD10:
			q.ICD10 = first(q.ICD10, id)
		}
	}
	return q
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Resolve returns the rows of the catalogue that the disease is, for
// [Disease.Match].
func (d Disease) Resolve(c *catalog.Catalog) Match {
	found := c.Resolve(d.Query())
	m := Match{Edition: c.Edition(), Ambiguous: found.Ambiguous}
	for _, row := range found.Diseases {
		m.Rows = append(m.Rows, Row{List: uint8(row.List), Number: uint16(row.Number)})
	}
	m.Unconfirmed = found.Found() && len(found.Counted()) == 0
	return m
}
