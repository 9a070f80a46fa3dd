package act_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// membershipPayloads decodes and encodes each payload of a membership act.
var membershipPayloads = map[string]func([]byte) ([]byte, error){
	"promotion":     func(in []byte) ([]byte, error) { d, err := act.DecodePromotion(in); return d.Marshal(), err },
	"readiness":     func(in []byte) ([]byte, error) { d, err := act.DecodeReadiness(in); return d.Marshal(), err },
	"demotion":      func(in []byte) ([]byte, error) { d, err := act.DecodeDemotion(in); return d.Marshal(), err },
	"removal":       func(in []byte) ([]byte, error) { d, err := act.DecodeRemoval(in); return d.Marshal(), err },
	"settings":      func(in []byte) ([]byte, error) { d, err := act.DecodeSettings(in); return d.Marshal(), err },
	"reader rights": func(in []byte) ([]byte, error) { d, err := act.DecodeRightsChange(in); return d.Marshal(), err },
	"support":       func(in []byte) ([]byte, error) { d, err := act.DecodeSupport(in); return d.Marshal(), err },
	"edition": func(in []byte) ([]byte, error) {
		d, err := act.DecodeEdition(in)
		if err != nil {
			return nil, err
		}
		_, _ = d.Open() // must not panic, whatever it says
		return d.Marshal(), nil
	},
	"feature level": func(in []byte) ([]byte, error) { d, err := act.DecodeFeature(in); return d.Marshal(), err },
	"recovery": func(in []byte) ([]byte, error) {
		d, err := act.DecodeRecovery(in)
		if err != nil {
			return nil, err
		}
		_ = d.Validate() // must not panic, whatever it says
		return d.Marshal(), nil
	},
	"enrolment": func(in []byte) ([]byte, error) {
		d, err := act.DecodeEnrolment(in)
		if err != nil {
			return nil, err
		}
		_ = d.Validate() // must not panic, whatever it says
		return d.Marshal(), nil
	},
}

// membershipSeeds are one payload of each.
func membershipSeeds(t testing.TB) map[string][]byte {
	small, err := catalog.ReadTable("e", strings.NewReader("list,number,zh,en,orpha,relation,omim,icd10,icd10_edition\n3,1,测试病甲,,999001,exact,,,\n"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"promotion":     act.Promotion{Node: "h4", InPlaceOf: "h3"}.Marshal(),
		"readiness":     act.Readiness{Node: "h4"}.Marshal(),
		"demotion":      act.Demotion{Node: "h4"}.Marshal(),
		"removal":       act.Removal{Institution: 3, Node: "h3"}.Marshal(),
		"settings":      act.Settings{Quorum: 2, Policy: act.DefaultPolicy()}.Marshal(),
		"reader rights": act.RightsChange{Institution: 4, Rights: act.RightNational}.Marshal(),
		"support":       act.Support{Node: "h4", Level: 2}.Marshal(),
		"feature level": act.Feature{Level: 2}.Marshal(),
		"edition":       act.EditionOf(small).Marshal(),
		"recovery": (&act.Recovery{
			Epoch: 2, Size: 9, Envelopes: 7, Index: 12, Term: 4, Fenced: []string{"h2", "h3"},
			Voters: []act.EpochVoter{{Node: "h1", Log: foundingtest.Newcomer(t, "h1", 1).Log.Public()}},
		}).Marshal(),
		"enrolment": act.Enrolment{Node: foundingtest.Newcomer(t, "h4", 4).Card.Nodes[0]}.Marshal(),
	}
}

func TestMembershipPayloadsAreReadBackAndNothingElse(t *testing.T) {
	for name, raw := range membershipSeeds(t) {
		again := membershipPayloads[name]
		if got, err := again(raw); err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%s: read back as %x, %v", name, got, err)
		}
		for what, bad := range map[string][]byte{"nothing": nil, "cut": raw[:len(raw)-1], "longer": append(bytes.Clone(raw), 0)} {
			if _, err := again(bad); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

func FuzzMembershipPayloads(f *testing.F) {
	for _, raw := range membershipSeeds(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for name, again := range membershipPayloads {
			if out, err := again(in); err == nil && !bytes.Equal(out, in) {
				t.Errorf("%s: %x encodes back to %x", name, in, out)
			}
		}
	})
}
