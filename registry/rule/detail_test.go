package rule

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

func TestADetailKeepsItsValuesInChinese(t *testing.T) {
	for detail, want := range map[string]string{
		"": "", "check digit": "校验码", "Condition 3, Patient 1": "Condition 3, Patient 1", "110***X": "110***X",
		"file larger than 67108864 bytes":                      "文件超过 67108864 字节",
		"byte 12, line 3: not GB18030":                         "第 12 字节，第 3 行：不是 GB18030",
		"profile report needs the sex at birth":                "填报类型 report 需要出生时性别",
		"profile report needs something new":                   "填报类型 report 需要something new",
		"no sheet 登记 2":                                        "没有工作表 登记 2",
		"no heading 性别, 科室":                                    "缺少列标题 性别, 科室",
		"no subject":                                           "没有 subject",
		"no type, collected":                                   "缺少 type, collected",
		"123***9; want a whole number":                         "123***9；应为整数",
		"not one of a, b; kept as it is":                       "不是 a, b 之一；按原样保留",
		"an Observation: 2 resources have this address":        "一个 Observation：2 个资源使用此地址",
		"not JSON within the limits: byte 7: no value":         "不是限制之内的 JSON：第 7 字节：没有值",
		"xl/styles.xml: damaged XML: more than 64 levels":      "xl/styles.xml：XML 已损坏：超过 64 层",
		"not JSON within the limits: byte 7: an unknown thing": "不是限制之内的 JSON：第 7 字节：an unknown thing",
	} {
		if got := Detail(detail, "zh"); got != want {
			t.Errorf("%q: got %q, want %q", detail, got, want)
		}
		if got := Detail(detail, "en"); got != detail {
			t.Errorf("%q: in English %q", detail, got)
		}
	}
}

func TestEveryDetailHasItsValuesInBothLanguages(t *testing.T) {
	for en, zh := range details {
		values := strings.Count(en, "%s")
		for i := 1; i <= values; i++ {
			if strings.Count(zh, fmt.Sprintf("%%%d", i)) != 1 {
				t.Errorf("%q: value %d is not once in %q", en, i, zh)
			}
		}
		if strings.Count(zh, "%") != values {
			t.Errorf("%q: %q has another count of values", en, zh)
		}
		if chinese := strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }); !chinese && !strings.HasPrefix(zh, "%1") && zh != "" && en != "%s: %s, then %s" {
			t.Errorf("%q: %q is no Chinese", en, zh)
		}
	}
}
