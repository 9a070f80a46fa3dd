package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"testing"

	"github.com/raresync/raresync/registry/phenopacket"
)

// comesBack reads every accepted case from the coordinator's log and compares
// it with the file that went in, less what de-identification replaces.
func (n *network) comesBack(t *testing.T, visits []visit) {
	n = n.with(t)
	accepted, cases, refused := 0, 0, map[string]int{}
	var last uint64
	for _, v := range visits {
		if v.result.Outcome != "accepted" {
			refused[refusal(t, v)]++
			continue
		}
		accepted++
		place := 0 // of the member in its file
		for _, e := range v.result.Entries {
			if e.Type != "case" {
				continue
			}
			if !e.Receipt {
				t.Errorf("%s: accepted without a receipt", v.file.Name)
			}
			n.caseComesBack(t, v, place, e.Index)
			place++
			last = e.Index
		}
		cases += place
		if place == 0 {
			t.Errorf("%s: accepted without a case", v.file.Name)
		}
	}
	t.Logf("%d cases of %d files came back; %v refused by the first rule", cases, accepted, refused)
	if accepted*2 < len(visits) {
		t.Errorf("only %d of %d files were accepted", accepted, len(visits))
	}
	n.commandShowsTheSame(t, last)
}

// refusal returns the first rule that refused a file. Every refused file has
// one.
func refusal(t *testing.T, v visit) string {
	t.Helper()
	for _, f := range v.result.Findings {
		if f.Severity == "E" {
			return f.Code
		}
	}
	t.Errorf("%s: %s, and no rule says why", v.file.Name, v.result.Outcome)
	return ""
}

func (n *network) caseComesBack(t *testing.T, v visit, member int, index uint64) {
	t.Helper()
	got, err := n.Reader.Client.Phenopacket(n.ctx, index)
	if err != nil {
		t.Errorf("%s: entry %d: %v", v.file.Name, index, err)
		return
	}
	want, err := phenopacket.Deidentify(v.file.Data, fmt.Sprintf("entry-%d", index))
	must(t, err)
	if member >= len(want) {
		t.Errorf("%s: case %d of a file with %d members", v.file.Name, member+1, len(want))
		return
	}
	if !reflect.DeepEqual(semantic(t, got), semantic(t, want[member])) {
		t.Errorf("%s: entry %d comes back otherwise:\n%s\nwant\n%s", v.file.Name, index, got, want[member])
	}
}

// semantic returns JSON as values, with numbers as written.
func semantic(t *testing.T, raw []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	must(t, d.Decode(&v))
	return v
}

// commandShowsTheSame compares what the command prints with what the daemon
// answers.
func (n *network) commandShowsTheSame(t *testing.T, index uint64) {
	want, err := n.Reader.Client.Phenopacket(n.ctx, index)
	must(t, err)
	out, errs, code := n.run("--config", n.Reader.Config(), "entry", "get", "-o", "phenopacket", strconv.FormatUint(index, 10))
	if code != 0 || !reflect.DeepEqual(semantic(t, out), semantic(t, want)) {
		t.Errorf("entry get -o phenopacket: exit %d %s: %s; want %s", code, errs, out, want)
	}
}
