package fhir

import (
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/jsontree"
)

// documents are the identifiers of a Patient.
type documents struct {
	best    identity.Document // the zero Document if there is none
	at      int               // its place in identifier
	record  string            // the hospital's record number
	numeric bool              // the record number is a number, and may have lost its end
	all     []string          // values of all identifiers
	other   int               // place of a second resident ID that differs, or -1
}

// systems are the namespaces of documents: those of China's health records, and
// this project's own.
var systems = map[string]identity.Type{
	"urn:oid:2.16.156.10011.1.3": identity.RIC, "urn:raresync:id:RIC": identity.RIC, "urn:raresync:id:HKM": identity.HKM,
	"urn:raresync:id:TWP": identity.TWP, "urn:raresync:id:FPR17": identity.FPR17, "urn:raresync:id:BC": identity.BC,
	"urn:oid:2.16.156.10011.1.13": identity.LOCAL, "urn:oid:2.16.156.10011.1.12": identity.LOCAL,
	"urn:oid:2.16.156.10011.1.11": identity.LOCAL, "urn:raresync:id:LOCAL": identity.LOCAL,
}

// passports are namespaces with the issuing country behind.
var passports = regexp.MustCompile(`^(?:https?://hl7\.org/fhir/sid/passport-|urn:raresync:id:PP:)([A-Za-z]{3})$`)

// rank orders documents: the more it links, the earlier. Record numbers come in
// the order of the namespaces above.
var rank = map[identity.Type]int{
	identity.RIC: 7, identity.HKM: 6, identity.TWP: 5, identity.FPR17: 4, identity.PP: 3, identity.BC: 2,
}

// readDocuments looks through a Patient's identifiers. Those that are marked as
// old stay out.
func readDocuments(patient *jsontree.Value) documents {
	d := documents{at: -1, other: -1}
	for i, id := range patient.Get("identifier").List() {
		value := id.Get("value")
		if value == nil || value.Text == "" {
			continue
		}
		d.all = append(d.all, value.Text)
		if use := id.Get("use").Str(); use == "old" {
			continue
		}
		one := documentOf(id)
		if value.Kind == jsontree.Number {
			one.Origin = identity.Numeric
		}
		switch {
		case one.Type == "":
		case one.Type == identity.LOCAL:
			if d.record == "" {
				d.record, d.numeric = value.Text, one.Origin == identity.Numeric && len(value.Text) > 15
			}
		case d.best.Type == identity.RIC && one.Type == identity.RIC && !sameDocument(one, d.best):
			d.other = i
		case rank[one.Type] > rank[d.best.Type]:
			d.best, d.at = one, i
		}
	}
	return d
}

// documentOf reads one identifier. The Type is empty of what is no document that
// raresync knows.
func documentOf(id *jsontree.Value) identity.Document {
	system, value := id.Get("system").Str(), id.Get("value").Text
	if t, ok := systems[system]; ok {
		return identity.Document{Type: t, Value: value}
	}
	if m := passports.FindStringSubmatch(system); m != nil {
		return identity.Document{Type: identity.PP, Issuer: strings.ToUpper(m[1]), Value: value}
	}
	for _, c := range id.At("type", "coding").List() {
		if c.Get("code").Str() == "MR" && strings.HasSuffix(c.Get("system").Str(), "v2-0203") {
			return identity.Document{Type: identity.LOCAL, Value: value}
		}
	}
	return identity.Document{}
}

func sameDocument(a, b identity.Document) bool {
	today := identity.Options{Today: identity.Date{Year: 9999, Month: 12, Day: 31}}
	x, _, err := identity.Normalize(a, today)
	y, _, bad := identity.Normalize(b, today)
	return err == nil && bad == nil && x.Equal(y) || a.Value == b.Value
}
