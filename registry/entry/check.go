package entry

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// CheckResult is what came of comparing a registration with its source record.
type CheckResult uint8

// The results.
const (
	CheckAgrees   CheckResult = 1
	CheckDiffers  CheckResult = 2 // in some fields, which are named
	CheckNoSource CheckResult = 3 // the source record is not there any more
)

// CheckField is a field of a registration that is compared. There is no free text.
type CheckField uint8

// The fields.
const (
	CheckSex          CheckField = 1
	CheckBirth        CheckField = 2
	CheckDisease      CheckField = 3
	CheckVerification CheckField = 4
	CheckDiagnosis    CheckField = 5 // its day
	CheckOnset        CheckField = 6
	CheckFeatures     CheckField = 7
	CheckGenetics     CheckField = 8
	CheckLife         CheckField = 9
	CheckProvince     CheckField = 10
	CheckDepartment   CheckField = 11
	CheckContact      CheckField = 12 // the first with a hospital
	CheckPatient      CheckField = 13 // it is another patient's record
	checkFieldsAfter             = 14
)

// A Check says what a hospital found when it compared one of its registrations with
// the source record. Which are compared a quality letter draws: see [Drawn]. Its entry
// has no pseudonym; its day is that of the comparison; Supersedes names the check of the
// same letter and registration that was sent before, of which the newest counts.
type Check struct {
	Letter  uint64   // index of the letter that draws
	Index   uint64   // of the registration
	Entry   [32]byte // its entry id: the check goes when it is withdrawn
	Result  CheckResult
	Differs []CheckField // ascending; of [CheckDiffers] alone
}

// CheckedEach is how many registrations of a hospital a letter draws.
const CheckedEach = 20

// CheckID returns the entry id of a check, as [QueryID] does under the label
// "raresync/v1/check\0".
func CheckID(key [32]byte, c Check, supersedes [32]byte) ([32]byte, error) {
	w := wire{}
	w.checkFields(&Entry{Check: &c, EventDate: Date{Year: 1, Month: 1, Day: 1}})
	return w.fieldsID(key, TypeCheck, "check", supersedes)
}

// checkFields carries the layout.
func (w *wire) checkFields(e *Entry) {
	c := e.Check
	w.array(5)
	w.index(&c.Letter)
	w.index(&c.Index)
	w.hash(&c.Entry)
	number(w, &c.Result, CheckAgrees, CheckNoSource)
	list(w, &c.Differs, func(w *wire, f *CheckField) { number(w, f, CheckSex, checkFieldsAfter-1) })
	w.nobody(e)
	ascending := slices.IsSorted(c.Differs) && len(slices.Compact(slices.Clone(c.Differs))) == len(c.Differs)
	if (c.Result == CheckDiffers) != (len(c.Differs) > 0) || !ascending {
		w.fail("a check that contradicts itself")
	}
}

// Drawn returns which of a hospital's registrations a letter to it draws, ascending:
// the [CheckedEach] with the smallest SHA-256("raresync/v1/check" 00 ‖ root ‖ year u16 ‖
// month u8 ‖ hospital u32 ‖ index u64), numbers big-endian. indexes are those that came
// into the log in the letter's month and are in its tree. Nobody chooses: the root was
// not known while they were registered. One that is erased makes room for another, and
// those drawn before stay drawn.
func Drawn(l Letter, indexes []uint64) []uint64 {
	seed := append([]byte("raresync/v1/check\x00"), l.Root[:]...)
	seed = binary.BigEndian.AppendUint16(seed, l.Of.Year)
	seed = append(seed, l.Of.Month)
	seed = binary.BigEndian.AppendUint32(seed, l.Hospital)
	type ranked struct {
		rank  [32]byte
		index uint64
	}
	all := make([]ranked, len(indexes))
	for i, index := range indexes {
		all[i] = ranked{sha256.Sum256(binary.BigEndian.AppendUint64(slices.Clone(seed), index)), index}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(slices.Compare(a.rank[:], b.rank[:]), cmp.Compare(a.index, b.index))
	})
	var out []uint64
	for _, r := range all[:min(len(all), CheckedEach)] {
		out = append(out, r.index)
	}
	slices.Sort(out)
	return out
}

// String returns the result in few words, such as "differs".
func (r CheckResult) String() string {
	return name([]string{"none", "agrees", "differs", "no source record"}, uint8(r))
}

// Words returns the result in "zh" or "en"; any other language is answered in English.
func (r CheckResult) Words(lang string) string {
	if lang == "zh" {
		return name([]string{"未核对", "一致", "不一致", "原始病历已无法调阅"}, uint8(r))
	}
	return name([]string{"not compared", "agrees", "differs", "no source record"}, uint8(r))
}

var checkFieldNames = []string{"none", "sex", "birth", "disease", "verification", "diagnosis", "onset", "features", "genetics", "life",
	"province", "department", "contact", "patient"}

// String returns the field's name, such as "onset".
func (f CheckField) String() string { return name(checkFieldNames, uint8(f)) }

// Words returns the field in "zh" or "en"; any other language is answered in English.
func (f CheckField) Words(lang string) string {
	if lang == "zh" {
		return name([]string{"", "性别", "出生日期", "疾病", "确诊方式", "诊断日期", "起病", "表型", "遗传", "生存状态", "居住省份", "科室", "首诊日期", "不是同一患者"}, uint8(f))
	}
	return name([]string{"", "sex", "date of birth", "disease", "how it was verified", "day of diagnosis", "onset", "features", "genetics", "vital status",
		"province", "department", "first contact", "another patient's record"}, uint8(f))
}

// CheckFields returns the fields that are compared, in their order.
func CheckFields() (all []CheckField) {
	for f := CheckSex; f < checkFieldsAfter; f++ {
		all = append(all, f)
	}
	return all
}
