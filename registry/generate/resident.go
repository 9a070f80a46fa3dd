package generate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
)

// area is an area code that GB/T 2260 never assigned.
const area = "100000"

// ResidentID returns a made-up number in GB 11643 form for a subject of a
// file: area 100000, the birth date as far as it is known, an odd sequence for
// a male and an even one for a female, and the right check digit. The same
// arguments give the same number.
func ResidentID(seed uint64, file, subject string, sex entry.Sex, birth entry.Date) string {
	h := sha256.New()
	fmt.Fprintf(h, "raresync/demo/resident-id\x00%d\x00%d:%s%s", seed, len(file), file, subject)
	sum := h.Sum(nil)
	day := binary.BigEndian.Uint32(sum)
	sequence := 2 + binary.BigEndian.Uint32(sum[4:])%997 // 2 to 998: none is 000
	switch {
	case sex == entry.SexMale:
		sequence |= 1
	case sex == entry.SexFemale:
		sequence &^= 1
	}
	first := fmt.Sprintf("%s%s%03d", area, whole(birth, day).Format("20060102"), sequence)
	return first + string(identity.CheckDigit(first))
}

// whole chooses a day among those that a date can mean.
func whole(d entry.Date, choice uint32) time.Time {
	first := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(2020, 12, 31, 0, 0, 0, 0, time.UTC)
	if d.Known() && d.Valid() {
		first, last = d.Span()
	}
	days := uint32(last.Sub(first)/(24*time.Hour)) + 1
	return first.AddDate(0, 0, int(choice%days))
}
