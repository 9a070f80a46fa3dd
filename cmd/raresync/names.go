package main

import (
	"fmt"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// names are the institutions' names by their numbers.
type names map[uint32]string

// namesOf takes the names from the roster, in the user's language where an
// institution has one in it.
func namesOf(v voice, members []admin.Member) names {
	n := names{}
	for _, m := range members {
		name := text{m.NameEN, m.NameZH}.in(v.lang)
		if name == "" {
			name = text{m.NameZH, m.NameEN}.in(v.lang)
		}
		n[m.Number] = term.Clean(name)
	}
	return n
}

// of says an institution with its number, as "Hospital 3 (3)".
func (n names) of(number uint32) string {
	if name := n[number]; name != "" {
		return fmt.Sprintf("%s (%d)", name, number)
	}
	return fmt.Sprintf("institution %d", number)
}
