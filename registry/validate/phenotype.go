package validate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/entry"
)

var hpoID = regexp.MustCompile(`^HP:[0-9]{7}$`)

// features checks ids and repetition. Terms of other ontologies are kept and
// only compared with one another.
func (c *check) features(features []entry.Feature) {
	type seen struct{ observed, excluded bool }
	before := map[string]seen{}
	for i, f := range features {
		field := fmt.Sprintf("features[%d].type", i)
		id := f.Type.ID
		if prefix, _, ok := strings.Cut(id, ":"); !ok || strings.EqualFold(prefix, "HP") {
			if !hpoID.MatchString(id) {
				c.find("PH001", field, "")
				continue
			}
			if c.Retired != nil && c.Retired(id) {
				c.find("PH002", field, "")
			}
		}
		s := before[id]
		if f.Excluded && s.observed || !f.Excluded && s.excluded {
			c.find("PH003", field, "")
		}
		if f.Excluded && s.excluded || !f.Excluded && s.observed {
			c.find("PH004", field, "")
		}
		s.observed, s.excluded = s.observed || !f.Excluded, s.excluded || f.Excluded
		before[id] = s
	}
}
