package validate_test

import (
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/validate"
)

func document(t *testing.T, d identity.Document) identity.Identity {
	t.Helper()
	id, _, err := identity.Normalize(d, identity.Options{Today: identity.Date{Year: 2026, Month: 11, Day: 26}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestALinkIsCheckedByItsDocuments(t *testing.T) {
	ric := func(number string) identity.Document { return identity.Document{Type: identity.RIC, Value: number} }
	var (
		man       = ric("440524188001010014") // born 1880-01, odd sequence
		woman     = ric("11010519491231002X") // born 1949-12, even sequence
		permit    = ric("810000199003075174")
		newborn   = identity.Document{Type: identity.BC, Value: "U440000001"}
		passport  = identity.Document{Type: identity.PP, Issuer: "FRA", Value: "X1234567"}
		renewed   = identity.Document{Type: identity.PP, Issuer: "FRA", Value: "Y7654321"}
		card2017  = identity.Document{Type: identity.FPR17, Value: "FRA123456789012"}
		ownNumber = identity.Document{Type: identity.LOCAL, Value: "MRN-17"}
	)
	for name, tc := range map[string]struct {
		reason   entry.AliasReason
		old, new identity.Document
		want     []string
	}{
		"a newborn's certificate, then a number":     {entry.ReasonNewborn, newborn, permit, nil},
		"a number, then a newborn's certificate":     {entry.ReasonNewborn, permit, newborn, []string{"AL007"}},
		"a renewed passport":                         {entry.ReasonPassport, passport, renewed, nil},
		"a passport, then a card":                    {entry.ReasonPassport, passport, permit, []string{"AL007"}},
		"the same for another reason":                {entry.ReasonOther, passport, permit, nil},
		"a card of 2017, then one of 2023":           {entry.ReasonCard2023, card2017, permit, nil},
		"two cards the other way round":              {entry.ReasonCard2023, permit, card2017, []string{"AL007"}},
		"the hospital's own number, then a passport": {entry.ReasonOther, ownNumber, passport, nil},
		"one document typed in two ways": {
			entry.ReasonPassport, passport, identity.Document{Type: identity.PP, Issuer: "fra", Value: "x-123 4567"}, []string{"AL002"},
		},
		"a man born in 1880 and a woman born in 1949": {entry.ReasonCorrection, man, woman, []string{"AL005", "AL006"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range validate.Alias(tc.reason, document(t, tc.old), document(t, tc.new)) {
				got = append(got, f.Code)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
