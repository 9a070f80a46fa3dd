package identity

import (
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// Where the parts of an 18-character number are (GB 11643-1999).
const (
	birthAt    = 6
	sequenceAt = 14
	parityAt   = 16
	checkAt    = 17
)

var checkWeights = [checkAt]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

const checkLetters = "10X98765432"

// CheckDigit returns the check character ('0' to '9' or 'X') of the first 17
// digits of a number in GB 11643 form, or 0 if first17 is not 17 digits.
func CheckDigit(first17 string) byte {
	if len(first17) != checkAt || !digits(first17) {
		return 0
	}
	sum := 0
	for i, w := range checkWeights {
		sum += w * int(first17[i]-'0')
	}
	return checkLetters[sum%11]
}

// provinces are the first two digits in use (GB/T 2260; 83 occurs only in
// residence permits of Taiwan residents).
var provinces = strings.Fields("11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 " +
	"50 51 52 53 54 61 62 63 64 65 71 81 82 83")

// specimens are numbers printed in standards, on specimen cards and in
// countless examples (ID011).
var specimens = []string{
	"11010519491231002X", "440524188001010014", // GB 11643-1999
	"53010219200508011X", "34052419800101001X", // worked examples of the check digit
	"810000199408230021", "830000199201300022", // specimen residence permits
}

func resident(value string, opt Options) (*content, []rule.Finding) {
	if len(value) == lengthRIC15 && digits(value) {
		if number(value[lengthRIC15-3:]) >= firstCentenary {
			return nil, refused("ID003", "15-digit ID of a person born in the 1800s: century not told")
		}
		value = widen(value)
	}
	if bad := residentForm(value); bad != nil {
		return nil, bad
	}
	birth := parseCompact(value[birthAt:sequenceAt])
	findings := residentFindings(value, birth, opt)
	sex := Female
	if value[parityAt]%2 == 1 {
		sex = Male
	}
	return &content{kind: RIC, value: value, birth: birth, sex: sex}, findings
}

// widen turns a 15-digit ID into the 18-character one.
func widen(value string) string {
	first := value[:birthAt] + "19" + value[birthAt:]
	return first + string(CheckDigit(first))
}

func residentForm(value string) []rule.Finding {
	if strings.Count(value, "X") > 1 {
		return refused("ID004", "masked with X")
	}
	if len(value) != lengthRIC || !digits(value[:checkAt]) || !digits(value[checkAt:]) && value[checkAt] != 'X' {
		return refused("ID001", "neither 15 digits nor 17 digits and a check character")
	}
	return nil
}

func residentFindings(value string, birth Date, opt Options) []rule.Finding {
	var findings []rule.Finding
	if value[checkAt] != CheckDigit(value[:checkAt]) {
		findings = append(findings, rule.Find("ID002", "", "check digit"))
	}
	if !possibleBirth(birth, opt.Today) {
		findings = append(findings, rule.Find("ID003", "", "birth date inside the ID"))
	}
	if opt.Production && testNumber(value) {
		findings = append(findings, rule.Find("ID011", "", "test number"))
	}
	if !slices.Contains(provinces, value[:2]) && value[0] != '9' {
		findings = append(findings, rule.Find("ID005", "", "province digits"))
	}
	return findings
}

// testNumber reports a known specimen, or one digit repeated through the date
// and sequence parts.
func testNumber(value string) bool {
	middle := value[birthAt:checkAt]
	return slices.Contains(specimens, value) || strings.Count(middle, middle[:1]) == len(middle)
}
