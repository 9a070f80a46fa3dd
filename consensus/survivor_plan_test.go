package consensus

import (
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/founding/foundingtest"
	"github.com/raresync/raresync/registry/survivor"
)

// The surveys are compared at the longest copy, and each thing that is wrong with
// them is named.
func TestSurveysThatDoNotFitAreRefusedByName(t *testing.T) {
	c, _, _, d := lost(t)
	surveys := map[string]*survivor.Survey{}
	for _, id := range []string{"h1", "reader"} {
		c.survey(id, func(s *Survivor) {
			one, err := s.Survey(c.member(id).Log)
			must(t, err)
			must(t, one.Sign(c.member(id).Envelope))
			surveys[id] = one
		})
	}
	changed := func(id string, by *foundingtest.Member, how func(*survivor.Survey)) *survivor.Survey {
		one := *surveys[id]
		how(&one)
		if by != nil {
			must(t, one.Sign(by.Envelope))
		}
		return &one
	}
	h1, reader := surveys["h1"], surveys["reader"]
	own, coordinator := c.member("h1"), c.founded.Reader
	for name, tc := range map[string]struct {
		at      string
		surveys []*survivor.Survey
		promote []string
		fence   []string
		want    error
	}{
		"as they are":        {"h1", []*survivor.Survey{h1, reader}, []string{"reader"}, nil, nil},
		"the shorter copy's": {"reader", []*survivor.Survey{h1, reader}, nil, nil, ErrNotLongest},
		"without its own":    {"h1", []*survivor.Survey{reader}, []string{"reader"}, nil, ErrSurvey},
		"one twice":          {"h1", []*survivor.Survey{h1, reader, reader}, nil, nil, ErrSurvey},
		"changed on the way": {"h1", []*survivor.Survey{h1, changed("reader", nil, func(s *survivor.Survey) { s.Index = 3 })}, nil, nil, ErrSurvey},
		"another's word":     {"h1", []*survivor.Survey{h1, changed("reader", own, func(*survivor.Survey) {})}, nil, nil, ErrSurvey},
		"another network's":  {"h1", []*survivor.Survey{h1, changed("reader", coordinator, func(s *survivor.Survey) { s.Network[0] ^= 1 })}, nil, nil, ErrSurvey},
		"another epoch's":    {"h1", []*survivor.Survey{h1, changed("reader", coordinator, func(s *survivor.Survey) { s.Epoch = 2 })}, nil, nil, ErrSurvey},
		"a contradiction":    {"h1", []*survivor.Survey{h1, changed("reader", coordinator, func(s *survivor.Survey) { s.Root[0] ^= 1 })}, nil, nil, ErrContradiction},
		"a forked checkpoint": {"h1", []*survivor.Survey{h1, changed("reader", coordinator, func(s *survivor.Survey) {
			s.Checkpoint = c.forge(tlog.Checkpoint{Origin: "test.example/network/1", Size: 3, Root: tlog.Hash{1}})
		})}, nil, nil, ErrContradiction},
		"an invalid one":          {"h1", []*survivor.Survey{h1, changed("reader", coordinator, func(s *survivor.Survey) { s.Checkpoint = []byte("no note") })}, nil, nil, ErrSurvey},
		"a voter promoted":        {"h1", []*survivor.Survey{h1, reader}, []string{"h1"}, nil, ErrSurvey},
		"one that was not":        {"h1", []*survivor.Survey{h1}, []string{"reader"}, nil, ErrSurvey},
		"a survivor fenced":       {"h1", []*survivor.Survey{h1, reader}, nil, []string{"reader"}, ErrSurvey},
		"a majority that is left": {"h1", []*survivor.Survey{h1, changed("h1", c.member("h2"), func(s *survivor.Survey) { s.Node, s.Institution = "h2", 2 })}, nil, nil, ErrMajorityLeft},
	} {
		c.survey(tc.at, func(s *Survivor) {
			p, err := s.Plan(tc.surveys, tc.promote, tc.fence)
			if !errors.Is(err, tc.want) {
				t.Errorf("%s: %v, want %v", name, err, tc.want)
			}
			if err == nil && (p.Recovery.Size != d.Size || p.Recovery.Index <= h1.Index || p.Recovery.Term <= h1.Term || p.From != reader.Envelopes ||
				!slices.Equal(p.Recovery.Fenced, []string{"h2", "h3"}) || !slices.Equal(p.Behind, []string{"reader"})) {
				t.Errorf("%s: %+v", name, p.Recovery)
			}
		})
	}
	// A checkpoint beyond every copy is a loss, and says how large.
	c.survey("h1", func(s *Survivor) {
		beyond := changed("reader", coordinator, func(one *survivor.Survey) {
			one.Checkpoint = c.forge(tlog.Checkpoint{Origin: "test.example/network/1", Size: d.Size + 5, Root: tlog.Hash{1}})
		})
		if p, err := s.Plan([]*survivor.Survey{h1, beyond}, nil, nil); err != nil || p.Known != d.Size+5 {
			t.Errorf("a checkpoint that no copy reaches: %v, %v", p, err)
		}
	})
}
