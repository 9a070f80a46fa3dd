package mapping

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/table"
)

func TestDatesAsHospitalsWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"2023-01-05": "2023-01-05", "2023/1/5": "2023-01-05", "20230105": "2023-01-05", "2023.1.5": "2023-01-05", "2023年1月5日": "2023-01-05",
		"２０２３－０１－０５": "2023-01-05", "44931": "2023-01-05", "2023-01-05 00:00:00": "2023-01-05", "2023-01-05T08:30:00": "2023-01-05", "2023/1/5 8:30": "2023-01-05",
		"2023": "2023", "2023-01": "2023-01", "2023年1月": "2023-01", "2023年": "2023", "202301": "2023-01", "2023-00-00": "2023", "2023-01-00": "2023-01",
		"13/05/2023": "2023-05-13", "05/13/2023": "2023-05-13", "05/05/2023": "2023-05-05", "01/05/2023": "2023 unsure",
		"23-01-05": "none", "2023-02-30": "none", "2023-13-01": "none", "八岁": "none", "110105199003077470": "none", "0": "none", "2023-01-05-06": "none",
		"13800138000": "none", "9": "none", "1234567": "none", "00/00/2023": "2023",
	} {
		d, sure, ok := parseDate(table.Cell{Text: text})
		got := d.String()
		switch {
		case !ok:
			got = "none"
		case !sure:
			got += " unsure"
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestOnsetsAsHospitalsWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"8岁": "P8Y", "8岁3个月": "P8Y3M", "3个月": "P3M", "15天": "P15D", "P8Y3M": "P8Y3M", "8 years": "P8Y", "12周岁": "P12Y",
		"出生时": "HP:0003577", "先天性": "HP:0003577", "产前": "HP:0030674", "不详": "NCIT:C17998", "unknown": "NCIT:C17998",
		"2010-05-01": "2010-05-01T00:00:00Z", "2010年5月": "2010-05-01T00:00:00Z",
		"小时候": "<nil>", "P": "<nil>", "8": "<nil>",
	} {
		o, _, _ := parseOnset(table.Cell{Text: text})
		if got := fmt.Sprint(o); !strings.Contains(got, want) && !(o == nil && want == "<nil>") {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// A name matches whole or not at all; what separates two diagnoses elsewhere
// may be part of one.
func TestDiagnosesOfOneCell(t *testing.T) {
	p := &Profile{Diseases: map[string]string{"法布里氏病": "LIST:1.27"}}
	for text, want := range map[string][]string{
		"法布雷病":                       {"法布雷病"},
		"法布雷病；戈谢病":                   {"法布雷病", "戈谢病"},
		"1.法布雷病 2.戈谢病":               {"法布雷病", "戈谢病"},
		"1、法布雷病；2、戈谢病":               {"法布雷病", "戈谢病"},
		"（1）法布雷病（2）戈谢病":              {"法布雷病", "戈谢病"},
		"法布雷病、戈谢病":                   {"法布雷病", "戈谢病"},
		"法布雷病, 戈谢病":                  {"法布雷病", "戈谢病"},
		"法布雷病、心肌病":                   {"法布雷病、心肌病"},
		"法布雷病\n戈谢病":                  {"法布雷病", "戈谢病"},
		"法布里氏病":                      {"LIST:1.27 法布里氏病"},
		"法布雷病(E75.2)":                {"E75.2 法布雷病"},
		"E75.2 法布雷病":                 {"E75.2 法布雷病"},
		"ORPHA:324":                  {"ORPHA:324"},
		"法布雷病 ORPHA:324":             {"ORPHA:324 法布雷病"},
		"LIST:1.27":                  {"LIST:1.27"},
		"法布雷病2型":                     {"法布雷病2型"},
		"疑似法布雷病":                     {"疑似法布雷病"},
		"E75.200x001；Q87.400":        {"E75.200x001", "Q87.400"},
		"":                           nil,
		"21-羟化酶缺乏症":                  {"21-羟化酶缺乏症"},
		"1.21-羟化酶缺乏症 2.白化病":          {"1.21-羟化酶缺乏症 2.白化病"}, // a number, or of the name?
		"肾病综合征 A10":                  {"肾病综合征 A10"},
		"Fabry disease; Gaucher病 II": {"Fabry disease", "Gaucher病 II"},
	} {
		var got []string
		for _, part := range p.split(text) {
			d := p.diagnosis(part)
			got = append(got, strings.TrimSpace(strings.Join(d.codes, "+")+" "+d.name))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Every name of the lists is one diagnosis, whatever marks it holds, and so is
// every row's number.
func TestEveryNameOfTheListsIsWhole(t *testing.T) {
	p := &Profile{}
	n := 0
	for _, line := range diseaseSheet(func(zh, _ string) string { return zh }).Rows[1:] {
		for _, name := range append(strings.Split(line[1], "；"), strings.Split(line[2], "; ")...) {
			if got := p.split(name); name != "" && (len(got) != 1 || got[0] != name || len(p.diagnosis(name).codes) > 0) {
				t.Errorf("%q becomes %q", name, got)
			}
			n++
		}
		if code, ok := listCode(line[0]); !ok || code != "LIST:"+line[0] {
			t.Errorf("%s: %s", line[0], code)
		}
	}
	if n < 400 {
		t.Errorf("only %d names", n)
	}
}

func TestProvinces(t *testing.T) {
	for text, want := range map[string]string{
		"广东": "44", "广东省": "44", "440000": "44", "44": "44", "内蒙古自治区": "15", "新疆维吾尔自治区": "65", "Beijing": "11", "hong kong": "81",
		"广东省深圳市福田区": "44", "北京市海淀区": "11", "广东路1号": "", "深圳": "", "99": "", "4403": "",
	} {
		if got := provinceOf(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// No word stands for two things within its field.
func TestWordsHaveOneMeaning(t *testing.T) {
	for i := range fields {
		d := fields[i].words
		if d == nil {
			continue
		}
		seen := map[string]string{}
		for _, m := range d.meanings {
			for _, w := range append(m.words, m.name) {
				if other, ok := seen[wordKey(w)]; ok && other != m.name {
					t.Errorf("%s: %q is %s and %s", fields[i].Key, w, other, m.name)
				}
				seen[wordKey(w)] = m.name
			}
		}
	}
}
