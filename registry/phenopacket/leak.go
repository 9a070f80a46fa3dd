package phenopacket

import (
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// leaks finds text of a de-identified packet that still holds an identifier
// (PR001): a telephone or ID number anywhere, member names included, and the
// patient's own identifiers. It names the path, never the value.
func leaks(v *value, own []string) []rule.Finding {
	var telling []string
	for _, id := range own {
		if isTelling(id) {
			telling = append(telling, id)
		}
	}
	f := leakFinder{own: telling}
	f.walk(v, nil, false, false)
	return f.findings
}

// isTelling reports whether an identifier is long enough and has digits
// enough to be found in running text by intent: "Patient 1" is not.
func isTelling(id string) bool {
	digits := 0
	for _, c := range id {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return len(id) >= 6 && digits >= 4
}

// A leakFinder walks a document.
type leakFinder struct {
	own      []string
	findings []rule.Finding
}

func (f *leakFinder) find(at way, what string) {
	f.findings = append(f.findings, rule.Find("PR001", at.String(), what))
}

// walk looks at a value. A number is looked at only in a field that the schema
// does not know: the known ones are measured. subject says that the value is the
// subject's, or part of it.
func (f *leakFinder) walk(v *value, at way, known, subject bool) {
	if v.Kind == jsontree.Text || v.Kind == jsontree.Number && !known {
		if what := leak(v.Text, f.own); what != "" {
			f.find(at, what)
		}
	}
	for i, item := range v.Items {
		next, inField, inSubject := append(at, step{v, i}), known, subject
		if v.Kind == jsontree.Object {
			name := v.Names[i]
			inField, inSubject = fields[name], subject || camel(name) == "subject"
			if what := leak(name, f.own); what != "" {
				f.find(next, what+" as a field name")
			}
			if namesPerson(name, subject) && hasContent(item) && (item.Kind != jsontree.Text || item.Text != "") {
				f.find(next, "a field that names or locates a person")
			}
		}
		f.walk(item, next, inField, inSubject)
	}
}

// personal lists names of fields that hold who a person is or where, in lower
// case without separators. The schema has none of them.
var personal = func() map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(`
		fullname patientname firstname lastname givenname familyname surname middlename maidenname
		address street homeaddress phone telephone phonenumber mobile mobilephone email telecom contact
		mrn medicalrecordnumber recordnumber idnumber idcard nationalid residentid ssn passportnumber
		姓名 患者姓名 病人姓名 家长姓名 监护人 联系人 地址 住址 家庭住址 电话 联系电话 手机 手机号 邮箱
		身份证 身份证号 证件号 证件号码 病案号 病历号 住院号 门诊号`) {
		set[name] = true
	}
	return set
}()

var separators = strings.NewReplacer("_", "", "-", "", " ", "")

// namesPerson reports whether a field is there to identify: by its name, or
// because it is called "name" within the subject. Elsewhere the schema itself
// has names, of resources.
func namesPerson(field string, subject bool) bool {
	folded := strings.ToLower(field)
	if strings.ContainsAny(folded, "_- ") {
		folded = separators.Replace(folded)
	}
	return personal[folded] || folded == "name" && subject
}

func leak(s string, own []string) string {
	if what := validate.PersonalNumber(s); what != "" {
		return what
	}
	for _, id := range own {
		if strings.Contains(s, id) && containsWord(s, id) {
			return "the patient's own identifier"
		}
	}
	return ""
}
