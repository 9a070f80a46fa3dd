package term

import (
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

type place struct {
	Province string `json:"province"`
}

type member struct {
	Node     string        `json:"node"`
	Hospital string        `json:"hospital"`
	Behind   uint64        `json:"entries_behind"`
	Seen     time.Time     `json:"seen"`
	Lag      time.Duration `json:"lag"`
	Addr     netip.Addr    `json:"addr"`
	Rights   []string      `json:"rights,omitempty"`
	Voter    *bool         `json:"voter"`
	Secret   string        `json:"-"`
	place
	*note
}

type note struct {
	Note string `json:"note,omitempty"`
}

var (
	yes     = true
	members = []member{
		{
			Node: "n1", Hospital: "北京协和医院", Behind: 7, Seen: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC),
			Lag: 1500 * time.Millisecond, Addr: netip.MustParseAddr("10.0.0.1"), Rights: []string{"national", "genetics"},
			Voter: &yes, Secret: "never", place: place{"11"}, note: &note{"\x1b[2J"},
		},
		{Node: "node-2", Hospital: "St. Mary's", Behind: 12345},
	}
)

func printed(t *testing.T, format string, show func(*Output) error) string {
	t.Helper()
	var b strings.Builder
	out, err := New(&b, format)
	if err != nil {
		t.Fatal(err)
	}
	if err := show(out); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	for name, tc := range map[string]struct {
		show func(*Output) error
		want string
	}{
		"columns line up across scripts and numbers lie to the right": {
			func(o *Output) error { return Print(o, members, "node", "hospital", "entries_behind") },
			`
NODE    HOSPITAL      ENTRIES BEHIND
n1      北京协和医院               7
node-2  St. Mary's             12345
`},
		"empty cells are marked and the last column is not padded": {
			func(o *Output) error { return Print(o, members, "seen", "lag", "addr", "rights", "voter") },
			`
SEEN                  LAG   ADDR      RIGHTS              VOTER
2026-11-22T02:00:00Z  1.5s  10.0.0.1  national, genetics  true
-                     0s    -         -                   -
`},
		"fields of embedded structs are columns and values are cleaned": {
			func(o *Output) error { return Print(o, members, "province", "note") },
			`
PROVINCE  NOTE
11        \x1b[2J
-         -
`},
		"without rows the headings remain": {
			func(o *Output) error { return Print(o, []place(nil)) },
			`
PROVINCE
`},
		"rows may be pointers, nil ones too": {
			func(o *Output) error { return Print(o, []*place{{"11"}, nil}) },
			`
PROVINCE
11
-
`},
		"one result is a line per field": {
			func(o *Output) error { return PrintOne(o, members[0], "hospital", "entries_behind") },
			`
HOSPITAL        北京协和医院
ENTRIES BEHIND  7
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := printed(t, "", tc.show), strings.TrimPrefix(tc.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestTableShowsAllFieldsWithoutColumns(t *testing.T) {
	got := printed(t, "table", func(o *Output) error { return Print(o, members) })
	head, _, _ := strings.Cut(got, "\n")
	want := []string{"NODE", "HOSPITAL", "ENTRIES", "BEHIND", "SEEN", "LAG", "ADDR", "RIGHTS", "VOTER", "PROVINCE", "NOTE"}
	if fields := strings.Fields(head); strings.Join(fields, " ") != strings.Join(want, " ") {
		t.Errorf("headings = %v, want %v", fields, want)
	}
	if strings.Contains(got, "never") {
		t.Errorf("a field hidden from JSON is in the table:\n%s", got)
	}
}

func TestTablesSpeakOtherLanguagesAndJSONDoesNot(t *testing.T) {
	show := func(o *Output) error {
		o.Speak(Words{
			Heading: func(field string) string { return map[string]string{"node": "节点"}[field] },
			Cell:    func(field, text string) string { return map[string]string{"voter true": "是"}[field+" "+text] },
		})
		return Print(o, members[:1], "node", "hospital", "voter")
	}
	if got, want := printed(t, "", show), "节点  HOSPITAL      VOTER\nn1    北京协和医院  是\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := printed(t, "jsonl", show); !strings.Contains(got, `"node":"n1"`) || !strings.Contains(got, `"voter":true`) {
		t.Errorf("JSON says %s", got)
	}
}

func TestJSON(t *testing.T) {
	row := struct {
		Name string `json:"name"`
		Size int    `json:"size"`
	}{"<罕见病>\u202e\x1b\U000e0041", 3}
	const one = `"name": "<罕见病>\u202e\u001b\udb40\udc41",`
	for name, tc := range map[string]struct {
		format string
		show   func(*Output) error
		want   string
	}{
		"a list is one array": {
			"json", func(o *Output) error { return Print(o, []any{row}) },
			"[\n  {\n    " + one + "\n    \"size\": 3\n  }\n]\n",
		},
		"an empty list is an empty array": {
			"json", func(o *Output) error { return Print(o, []place(nil)) }, "[]\n",
		},
		"columns do not thin out JSON": {
			"json", func(o *Output) error { return PrintOne(o, row, "size") },
			"{\n  " + one + "\n  \"size\": 3\n}\n",
		},
		"json lines hold a row each": {
			"jsonl", func(o *Output) error { return Print(o, []place{{"11"}, {"12"}}) },
			"{\"province\":\"11\"}\n{\"province\":\"12\"}\n",
		},
		"one result is one json line": {
			"jsonl", func(o *Output) error { return PrintOne(o, place{"11"}) }, "{\"province\":\"11\"}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := printed(t, tc.format, tc.show)
			if got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			for line := range strings.Lines(got) {
				if tc.format == "jsonl" && !json.Valid([]byte(line)) {
					t.Errorf("line %q is no JSON", line)
				}
			}
		})
	}
}

var errGone = errors.New("reader went away")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errGone }

func TestErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		show func(*Output) error
		want string
	}{
		"a column that no field has": {
			func(o *Output) error { return Print(o, members, "nod") },
			`print a table: term.member has no field "nod"`,
		},
		"a row that is no struct": {
			func(o *Output) error { return Print(o, []int{1}) },
			"print a table: a row is a int, not a struct",
		},
		"a reader that went away": {
			func(o *Output) error { return Print(o, members) },
			"write results: reader went away",
		},
	} {
		out, err := New(brokenPipe{}, "table")
		if err != nil {
			t.Fatal(err)
		}
		if err := tc.show(out); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
	if _, err := New(brokenPipe{}, "yaml"); err == nil || !strings.Contains(err.Error(), Formats) {
		t.Errorf("New with yaml: got %v, want an error that lists %s", err, Formats)
	}
	out, err := New(brokenPipe{}, "jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if err := Print(out, members); !errors.Is(err, errGone) {
		t.Errorf("Print as jsonl: got %v, want %v", err, errGone)
	}
}
