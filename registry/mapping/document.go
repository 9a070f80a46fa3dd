package mapping

import (
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/table"
)

// documentTypes are those a profile may take for granted.
var documentTypes = []identity.Type{identity.RIC, identity.HKM, identity.TWP, identity.FPR17, identity.PP, identity.BC}

func typeNames() (names []string) {
	for _, t := range documentTypes {
		names = append(names, string(t))
	}
	return names
}

// foreigners is the word for the card of either edition: the number's form says
// which it is.
const foreigners = "foreigners"

var card2017 = regexp.MustCompile(`^[A-Z]{3}[0-9]{12}$`)

// document reads the patient's document, or gives back the zero Document if
// the row has none. A number that a spreadsheet kept as one is refused whatever
// it looks like: it has lost its end.
func (b *builder) document() identity.Document {
	number, ok := b.cell("id_number")
	if !ok {
		return identity.Document{}
	}
	d := identity.Document{Type: b.documentType(number.Text), Value: number.Text}
	if issuer, ok := b.cell("id_country"); ok && d.Type == identity.PP {
		d.Issuer = issuer.Text
	}
	if number.Kind != table.Text {
		d.Origin = identity.Numeric
		b.find("ID004", "id_number", "number cell")
	}
	return d
}

func (b *builder) documentType(number string) identity.Type {
	cell, ok := b.cell("id_type")
	if !ok {
		return b.profile.Document
	}
	switch name := documentWords.find(b.own("id_type", cell.Text)); name {
	case "":
		b.find("ID001", "id_type", "unknown document type; want "+join(documentWords))
		return b.profile.Document
	case foreigners:
		if card2017.MatchString(halfWidth(number)) {
			return identity.FPR17
		}
		return identity.RIC
	default:
		return identity.Type(name)
	}
}

func join(d *dictionary) string {
	var text strings.Builder
	for i, w := range d.shown() {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString(w.ZH)
	}
	return text.String()
}
