package report

import (
	"fmt"
	"testing"

	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/registry/entry"
)

// peers are hospitals of which the first has the value 1 of 100, and so on.
func peers(n int) view.Groups {
	of := view.Groups{}
	for i := range n {
		of[fmt.Sprint(i+1)] = view.Figure{Num: int64(i + 1), Den: 100, Value: float64(i + 1), Shown: true}
	}
	of["99"] = view.Figure{Num: 1, Den: 4, Value: 25} // too few to be one of them
	return of
}

func TestALetterSaysWhatIsUsualOfEnoughHospitalsOnly(t *testing.T) {
	for name, tc := range map[string]struct {
		id       string
		peers    int
		hospital string
		least    int
		want     entry.LetterLine
	}{
		"four hospitals":                    {"Q8", 4, "1", 5, entry.LetterLine{Value: 1, Of: 100}},
		"five":                              {"Q8", 5, "1", 5, entry.LetterLine{Value: 1, Of: 100, Median: 3, Hospitals: 5, Band: 4}},
		"fewer than the smallest cell":      {"Q8", 10, "1", 11, entry.LetterLine{Value: 1, Of: 100}},
		"the best, where more is better":    {"Q8", 12, "12", 11, entry.LetterLine{Value: 12, Of: 100, Median: 7, Hospitals: 12, Band: 1}},
		"the best, where less is better":    {"Q5", 12, "1", 11, entry.LetterLine{Value: 1, Of: 100, Median: 7, Hospitals: 12, Band: 1}},
		"the fourth of twelve":              {"Q5", 12, "4", 11, entry.LetterLine{Value: 4, Of: 100, Median: 7, Hospitals: 12, Band: 2}},
		"what is no merit":                  {"Q9.over4y", 12, "4", 11, entry.LetterLine{Value: 4, Of: 100, Median: 7, Hospitals: 12}},
		"a hospital with too few":           {"Q8", 12, "99", 11, entry.LetterLine{Value: 1, Of: 4, Median: 7, Hospitals: 12}},
		"a hospital that sent nothing":      {"Q8", 12, "50", 11, entry.LetterLine{Median: 7, Hospitals: 12}},
		"days, of which it has the longest": {"Q3.median", 5, "5", 5, entry.LetterLine{Value: 5, Of: 100, Median: 3, Hospitals: 5, Band: 4}},
	} {
		tc.want.Indicator = tc.id
		i, _ := find(tc.id)
		if got := letterLine(i, peers(tc.peers), tc.hospital, tc.least); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestOfEqualHospitalsNoneIsBehind(t *testing.T) {
	of := view.Groups{}
	for i := range 8 {
		of[fmt.Sprint(i+1)] = view.Figure{Num: 50, Den: 100, Value: 50, Shown: true}
	}
	i, _ := find("Q8")
	for hospital := range of {
		if got := letterLine(i, of, hospital, 5); got.Band != 1 {
			t.Errorf("hospital %s is in quarter %d", hospital, got.Band)
		}
	}
}

func TestEveryIndicatorOfALetterIsOne(t *testing.T) {
	ranked := 0
	for _, i := range view.Indicators() {
		if betterness(i.ID) != 0 {
			ranked++
		}
	}
	if ranked != 19 {
		t.Errorf("%d indicators have a better side, want the 19 that are named", ranked)
	}
}
