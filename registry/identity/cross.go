package identity

import "github.com/raresync/raresync/registry/rule"

// CheckBirth compares a birth date column with the date that the document
// states (ID006): E if year or month differ, W if only the day does. Parts of
// given that are 0 are not compared. It returns false if nothing disagrees or
// the document states no date.
func CheckBirth(id Identity, given Date) (rule.Finding, bool) {
	year, month, day, ok := id.BirthDate()
	differs := func(a, b int) bool { return b != 0 && a != b }
	switch {
	case !ok:
		return rule.Finding{}, false
	case differs(year, given.Year) || differs(month, given.Month):
		return rule.Find("ID006", "", "year or month differ"), true
	case differs(day, given.Day):
		return rule.Finding{Code: "ID006", Severity: rule.W, Detail: "only the day differs"}, true
	}
	return rule.Finding{}, false
}

// CheckSex compares a sex column with the parity of a RIC (ID007, a query and
// never a refusal: a sex may have been corrected). Unstated disagrees with
// nothing.
func CheckSex(id Identity, given Sex) (rule.Finding, bool) {
	if sex, ok := id.Sex(); !ok || given == Unstated || given == sex {
		return rule.Finding{}, false
	}
	return rule.Find("ID007", "", "parity of the sequence digits"), true
}

// RoundedTails returns the places in ids of 18-character numbers that end in
// 000, if at least two different ones do (ID008). A single one is normal, as
// is one patient on several rows. Zero identities are passed over.
func RoundedTails(ids []Identity) []int {
	var places []int
	several := false
	for i, id := range ids {
		if !endsInZeros(id) {
			continue
		}
		places = append(places, i)
		several = several || !id.Equal(ids[places[0]])
	}
	if !several {
		return nil
	}
	return places
}

func endsInZeros(id Identity) bool {
	return id.Type() == RIC && id.content().value[lengthRIC-3:] == "000"
}
