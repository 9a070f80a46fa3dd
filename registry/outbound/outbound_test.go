package outbound

import (
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/table"
)

func parsed(t *testing.T, text string) *Profile {
	t.Helper()
	p, err := Parse("own", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cells reads a table back.
func cells(t *testing.T, m *Made) (rows [][]string) {
	t.Helper()
	book, err := table.Open("up"+m.Ending, m.Data, table.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := book.Sheets()[0].Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	for row := range lines.All() {
		var line []string
		for _, c := range row.Cells {
			line = append(line, c.Text)
		}
		rows = append(rows, line)
	}
	return rows
}

func TestTheShippedProfileWritesAWorkbook(t *testing.T) {
	p, ok := ShippedProfile("cases")
	if !ok || !p.Wants(Identifying()) {
		t.Fatalf("shipped: %v", ok)
	}
	made, err := p.Write([]map[string]string{{"sex": "男", "case_number": "0000-0000-0000-00", "diagnosis_date": "2020-05", "onset": "8岁", "disease": "=法布雷病"}})
	if err != nil {
		t.Fatal(err)
	}
	rows := cells(t, made)
	if made.Ending != ".xlsx" || len(rows) != 2 || len(rows[0]) != len(p.Columns) || rows[1][0] != "0000-0000-0000-00" || rows[1][4] != "1" || rows[1][11] != "2020-05" {
		t.Errorf("%s: %q", made.Ending, rows)
	}
	if _, ok := ShippedProfile("other"); ok {
		t.Error("a profile that is not shipped is there")
	}
}

const own = `
format = "csv"
encoding = "GB18030"
date = "YYYY年MM月DD日"
missing = "不详"
[[column]]
heading = "性别"
field = "sex"
codes = { "男" = "1", "女" = "2" }
[[column]]
heading = "诊断日期"
field = "diagnosis_date"
[[column]]
heading = "科室"
field = "department"
[[column]]
heading = "系统"
value = "raresync"
`

func TestATableIsWrittenAsTheOtherSystemWantsIt(t *testing.T) {
	made, err := parsed(t, own).Write([]map[string]string{
		{"sex": "男", "diagnosis_date": "2020-05-06", "department": "=1+1"}, {"sex": "其他", "diagnosis_date": "2020-05"}, {"diagnosis_date": "2020"},
	})
	if err != nil {
		t.Fatal(err)
	}
	gb, err := table.EncodeGB18030("性别,诊断日期,科室,系统\r\n1,2020年05月06日,'=1+1,raresync\r\n其他,2020年05月,不详,raresync\r\n不详,2020年,不详,raresync\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if string(made.Data) != string(gb) || made.Ending != ".csv" {
		t.Errorf("got %q", made.Data)
	}
	if got := made.Uncoded.String(); got != "性别: 其他 x 1" {
		t.Errorf("without a code: %q", got)
	}
}

func TestADateWhoseYearStandsLast(t *testing.T) {
	p := &Profile{Date: "DD/MM/YYYY"}
	for date, want := range map[string]string{"2020-05-06": "06/05/2020", "2020-05": "2020-05", "2020": "2020", "8岁": "8岁", "2020-05-06T01:02:03Z": "06/05/2020"} {
		if got := p.date(date); got != want {
			t.Errorf("%s: got %q, want %q", date, got, want)
		}
	}
}

func TestWhatIsWrongWithAProfileIsToldAtOnce(t *testing.T) {
	_, err := Parse("own", "format = \"pdf\"\nencoding = \"x\"\ndate = \"D\"\ncolour = 1\n[[column]]\nfield = \"pseudonym\"\n[[column]]\nheading = \"a\"\ncodes = { b = \"c\" }\n")
	if err == nil {
		t.Fatal("it is taken")
	}
	for _, want := range []string{"colour is not known", "format:", "encoding:", "date:", "column 1: wants a heading", "column 1: pseudonym is not known", "column 2: codes are for a field"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("it lacks %q: %v", want, err)
		}
	}
	if _, err := Parse("own", ""); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("without columns: %v", err)
	}
}
