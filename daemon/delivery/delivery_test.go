package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
)

const heads = "病案号,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态\n"

func row(record string) string {
	return record + ",男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活\n"
}

// answer is a daemon that takes what no record number forbids.
func answer(_ context.Context, files []admin.File) (out []admin.FileResult, err error) {
	for _, f := range files {
		r := admin.FileResult{Name: f.Name, Outcome: delivery.Accepted, Entries: []admin.EntryRef{{Type: "case"}}}
		for _, word := range []string{delivery.Refused, delivery.Known, delivery.Waiting} {
			if strings.Contains(string(f.Data), word) {
				r.Outcome, r.Entries = word, nil
			}
		}
		if r.Outcome == delivery.Refused {
			r.Findings = []admin.Finding{{Code: "DX001", Severity: "E", Where: f.Name + " $.diseases"}}
		}
		out = append(out, r)
	}
	return out, nil
}

func open(t *testing.T, text string) *delivery.Table {
	t.Helper()
	table, err := delivery.Open("f.csv", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestEachRowStandsForItself(t *testing.T) {
	for rows, want := range map[string]string{
		"B1":               "accepted: 1 accepted, 0 known, 0 refused, 0 waiting, 0 rejects",
		"B1 refused":       "partly accepted: 1 accepted, 0 known, 1 refused, 0 waiting, 1 rejects",
		"refused":          "refused: 0 accepted, 0 known, 1 refused, 0 waiting, 1 rejects",
		"known":            "known: 0 accepted, 1 known, 0 refused, 0 waiting, 0 rejects",
		"B1 known waiting": "waiting: 1 accepted, 1 known, 0 refused, 1 waiting, 0 rejects",
	} {
		var text strings.Builder
		text.WriteString(heads)
		for record := range strings.FieldsSeq(rows) {
			text.WriteString(row(record))
		}
		r, err := open(t, text.String()).Submit(t.Context(), answer)
		if err != nil {
			t.Fatal(err)
		}
		n := r.Counts
		if got := fmt.Sprintf("%s: %d accepted, %d known, %d refused, %d waiting, %d rejects",
			n.Outcome(), n.Accepted, n.Known, n.Refused, n.Waiting, r.Rejects.Count); got != want {
			t.Errorf("%s: got %s, want %s", rows, got, want)
		}
	}
}

func TestAFindingIsBroughtBackToItsCell(t *testing.T) {
	r, err := open(t, heads+row("B1")+row("refused")).Submit(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	said := delivery.ExplainCells("f.csv", r.Findings, "zh")
	if len(said) != 1 || said[0].Path != "F3 疾病名称" || said[0].Row != 3 || !said[0].Refuses() || !strings.HasPrefix(said[0].String(), "f.csv F3 疾病名称: DX001 E 未填写疾病") {
		t.Errorf("said is %+v", said)
	}
	files, err := r.Rejects.Files("zh", false)
	if err != nil || len(files) != 1 || !strings.Contains(string(files[0].Data), "原行号,需修改,") || strings.Contains(string(files[0].Data), "B1") {
		t.Errorf("rejects are %s, %v", files, err)
	}
}

func TestAnAnswerForOtherFilesIsAnError(t *testing.T) {
	for name, send := range map[string]delivery.Send{
		"for none":    func(context.Context, []admin.File) ([]admin.FileResult, error) { return nil, nil },
		"for nothing": func(context.Context, []admin.File) ([]admin.FileResult, error) { return nil, errors.New("no leader") },
	} {
		if r, err := open(t, heads+row("B1")).Submit(t.Context(), send); err == nil || r.Counts.Accepted != 0 {
			t.Errorf("%s: %+v, %v", name, r.Counts, err)
		}
	}
}

func TestATableIsKnownByItsNameOrItsBytes(t *testing.T) {
	for name, want := range map[string]bool{"a.csv": true, "a.XLSX": true, "a.json": false, "a": false} {
		if got := delivery.KindOf(name, []byte(`{"id": 1}`)) == delivery.Rows; got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, err := delivery.Open("f.csv", []byte("a,b\n1,2\n"), nil); err == nil || !strings.Contains(err.Error(), "no shipped profile knows") {
		t.Errorf("headings that nobody knows: %v", err)
	}
}
