package act_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// newcomer is the admission of a hospital with a mirror.
func newcomer(t testing.TB) *act.Admission {
	t.Helper()
	m := foundingtest.Newcomer(t, "h9", 5)
	return &act.Admission{Institution: m.Card.Institution, Nodes: m.Card.Nodes}
}

func TestAdmissionEncodesBackToTheSameBytes(t *testing.T) {
	a := newcomer(t)
	got, err := act.DecodeAdmission(a.Marshal())
	if err != nil || !bytes.Equal(got.Marshal(), a.Marshal()) || got.Nodes[0].Institution != 5 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAdmissionsThatCannotBe(t *testing.T) {
	valid := newcomer(t)
	second := node(t, "h91", 5)
	for name, tc := range map[string]struct {
		change func(*act.Admission)
		want   string // "" = valid
	}{
		"as it should be":         {func(*act.Admission) {}, ""},
		"with two nodes":          {func(a *act.Admission) { a.Nodes = append(a.Nodes, second) }, ""},
		"a reader without rights": {func(a *act.Admission) { a.Institution = reader(t, "11", 0) }, "the nation or one province"},
		"a national reader":       {func(a *act.Admission) { a.Institution = reader(t, "", act.RightNational|act.RightGenetics) }, ""},
		"a province reader":       {func(a *act.Admission) { a.Institution = reader(t, "31", act.RightProvince) }, ""},
		"a reader of no province": {func(a *act.Admission) { a.Institution = reader(t, "", act.RightProvince) }, "province"},
		"a reader of both": {func(a *act.Admission) {
			a.Institution = reader(t, "31", act.RightNational|act.RightProvince)
		}, "the nation or one province"},
		"a reader that leads": {func(a *act.Admission) {
			a.Institution = reader(t, "", act.RightNational)
			a.Institution.Lead = true
		}, "only a hospital can be a lead"},
		"of no known role":          {func(a *act.Admission) { a.Institution.Role = 3 }, "is not admitted by this act"},
		"a hospital that may read":  {func(a *act.Admission) { a.Institution.Rights = act.RightProvince }, "never a reader's"},
		"a hospital of no province": {func(a *act.Admission) { a.Institution.Province = "" }, "province"},
		"a hospital without a name": {func(a *act.Admission) { a.Institution.NameEN, a.Institution.NameZH = "", "" }, "entity and name"},
		"no node":                   {func(a *act.Admission) { a.Nodes = nil }, "needs a node"},
		"a voter":                   {func(a *act.Admission) { a.Nodes[0].Kind = act.Voter }, "as a mirror"},
		"a node in capitals":        {func(a *act.Admission) { a.Nodes[0].ID = "H9" }, `node "H9": use`},
		"a node twice":              {func(a *act.Admission) { a.Nodes = append(a.Nodes, a.Nodes[0]) }, "each once"},
		"a key twice":               {func(a *act.Admission) { a.Nodes = append(a.Nodes, second); a.Nodes[1].TLS = a.Nodes[0].TLS }, "is used twice"},
	} {
		a := &act.Admission{Institution: valid.Institution, Nodes: append([]act.Node(nil), valid.Nodes...)}
		tc.change(a)
		err := a.Validate()
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}
