package identity

import (
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// usccLetters are the characters of a Unified Social Credit Code in the order
// of their values 0 to 30 (GB 32100-2015): no I, O, S, V or Z.
const usccLetters = "0123456789ABCDEFGHJKLMNPQRTUWXY"

const usccLength = 18

// CheckUSCC checks form and check character of a hospital's Unified Social
// Credit Code, 18 characters in upper case. The error is a *rule.Refusal with
// code OR001.
func CheckUSCC(code string) error {
	if len(code) != usccLength {
		return rule.Refuse("OR001", "", "not 18 characters")
	}
	sum, weight := 0, 1
	for i := range usccLength - 1 {
		v := strings.IndexByte(usccLetters, code[i])
		if v < 0 {
			return rule.Refuse("OR001", "", "a character the code does not use")
		}
		sum += v * weight
		weight = weight * 3 % 31
	}
	if code[usccLength-1] != usccLetters[(31-sum%31)%31] {
		return rule.Refuse("OR001", "", "check character")
	}
	return nil
}
