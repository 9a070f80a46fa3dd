package entry

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// QueryAction says what a query entry does.
type QueryAction uint8

// The actions.
const (
	Ask   QueryAction = 1 // a question to the hospital
	Close QueryAction = 2 // who asked needs no answer any more, or has it
)

// QueryText is what a query asks. There is no free text: nothing that identifies
// a patient can be written into a query.
type QueryText uint8

// The texts.
const (
	QuerySource     QueryText = 1 // compare with the source record
	QueryConflict   QueryText = 2 // contradicts another field of the entry
	QueryMissing    QueryText = 3 // a detail is missing
	QueryUnusual    QueryText = 4 // unusual: confirm or correct
	QueryDuplicate  QueryText = 5 // may be of the same patient as another entry of the hospital
	QueryOutdated   QueryText = 6 // is there anything newer
	queryTextsAfter           = 7
)

// A Query asks a hospital about one of its entries, or closes what was asked. It
// is sent by a national reader, and sealed to the hospital as well. Its entry has
// no pseudonym; its day is that of the question. Supersedes names the query entry
// of the same question that was sent before: so a question, its closing and the
// question asked again have ids of their own, and the same question twice has one.
type Query struct {
	Action   QueryAction
	Target   uint64 // index of the entry
	Hospital uint32 // whose it is
	Rule     string // code of the rule that the question is about, as ID007
	Text     QueryText
}

// Same reports whether two queries are about one question.
func (q Query) Same(other Query) bool {
	q.Action, other.Action = 0, 0
	return q == other
}

// QueryID returns the entry id of a query: [ID] over an empty local id and
// SHA-256("raresync/v1/query\0" ‖ CBOR of the fields ‖ supersedes). The error is
// that of [Encode].
func QueryID(key [32]byte, q Query, supersedes [32]byte) ([32]byte, error) {
	w := wire{}
	w.queryFields(&Entry{Query: &q, EventDate: Date{Year: 1, Month: 1, Day: 1}})
	return w.fieldsID(key, TypeQuery, "query", supersedes)
}

// fieldsID returns the entry id of fields that were written.
func (w *wire) fieldsID(key [32]byte, t Type, label string, supersedes [32]byte) ([32]byte, error) {
	if w.err != nil {
		return [32]byte{}, fmt.Errorf("encode a %s entry: %w", t, w.err)
	}
	content := append([]byte("raresync/v1/"+label+"\x00"), w.out...)
	return ID(key, t, "", sha256.Sum256(append(content, supersedes[:]...))), nil
}

// queryFields carries the layout.
func (w *wire) queryFields(e *Entry) {
	q := e.Query
	w.array(5)
	number(w, &q.Action, Ask, Close)
	w.index(&q.Target)
	number(w, &q.Hospital, 1, ^uint32(0))
	w.text(&q.Rule)
	number(w, &q.Text, QuerySource, queryTextsAfter-1)
	w.nobody(e)
	if !isRuleCode(q.Rule) {
		w.fail("a query of no rule")
	}
}

// nobody checks an entry that is about no person by itself: no pseudonym, a day.
func (w *wire) nobody(e *Entry) {
	switch {
	case e.Pseudonym.Present || e.Strength != StrengthNone:
		w.fail("a " + e.Type.String() + " entry under a pseudonym")
	case e.EventDate.Precision() != PrecisionDay:
		w.fail("a " + e.Type.String() + " entry of no day")
	}
}

// isRuleCode reports whether a text has the form of a rule's code: two to four
// letters and three digits. A reader may be older than the rule.
func isRuleCode(s string) bool {
	letters := strings.TrimRight(s, "0123456789")
	if len(s)-len(letters) != 3 || len(letters) < 2 || len(letters) > 4 {
		return false
	}
	return strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// ReplyText is what a hospital answers.
type ReplyText uint8

// The answers.
const (
	ReplyRight     ReplyText = 1 // the entry is right: compared with the source record
	ReplyCorrected ReplyText = 2 // it was wrong: a correction is sent
	ReplyUnknown   ReplyText = 3 // it cannot be found out any more
	ReplyOther     ReplyText = 4 // the question does not fit the entry
)

// A Reply answers a query. Its entry has no pseudonym; Supersedes names the reply
// that the hospital sent before, of which the newest counts.
type Reply struct {
	Query   uint64   // index of the query
	QueryID [32]byte // entry id of the query
	Entry   [32]byte // entry id of what was asked about: the reply goes when it is withdrawn
	Text    ReplyText
}

// ReplyID returns the entry id of a reply, as [QueryID] does under the label
// "raresync/v1/reply\0".
func ReplyID(key [32]byte, r Reply, supersedes [32]byte) ([32]byte, error) {
	w := wire{}
	w.replyFields(&Entry{Reply: &r, EventDate: Date{Year: 1, Month: 1, Day: 1}})
	return w.fieldsID(key, TypeReply, "reply", supersedes)
}

// replyFields carries the layout.
func (w *wire) replyFields(e *Entry) {
	r := e.Reply
	w.array(4)
	w.index(&r.Query)
	w.hash(&r.QueryID)
	w.hash(&r.Entry)
	number(w, &r.Text, ReplyRight, ReplyOther)
	w.nobody(e)
}

// String returns the action's name, such as "close".
func (a QueryAction) String() string { return name([]string{"none", "ask", "close"}, uint8(a)) }

// String returns the text in few words, such as "unusual".
func (t QueryText) String() string {
	return name([]string{"none", "compare with source", "contradicts another field", "detail missing", "unusual", "duplicate", "outdated"}, uint8(t))
}

// Words returns the text as the hospital reads it, in "zh" or "en"; any other
// language is answered in English.
func (t QueryText) Words(lang string) string {
	if lang == "zh" {
		return name([]string{"", "请与原始病历核对。", "该条目内部互相矛盾，请核对。", "缺少应有的内容，请补充。", "该值不寻常，请确认或更正。",
			"是否与本院另一条目为同一患者？", "是否有更新的情况？"}, uint8(t))
	}
	return name([]string{"", "Please compare with the source record.", "The entry contradicts itself: please check.",
		"A detail is missing: please complete it.", "The value is unusual: please confirm or correct it.",
		"Is this the patient of another entry of your hospital?", "Is there anything newer?"}, uint8(t))
}

// QueryTexts returns how many texts there are: they are numbered from 1.
func QueryTexts() QueryText { return queryTextsAfter - 1 }

// String returns the answer in few words, such as "right".
func (t ReplyText) String() string {
	return name([]string{"none", "right", "corrected", "cannot be found out", "does not fit"}, uint8(t))
}

// Words returns the answer as who asked reads it, in "zh" or "en"; any other
// language is answered in English.
func (t ReplyText) Words(lang string) string {
	if lang == "zh" {
		return name([]string{"", "已与原始病历核对，条目无误。", "原条目有误，将予更正。", "已无法查明。", "该质疑与条目不符。"}, uint8(t))
	}
	return name([]string{"", "Compared with the source record: the entry is right.", "The entry was wrong: a correction is sent.",
		"It cannot be found out any more.", "The question does not fit the entry."}, uint8(t))
}

// ReplyTexts returns how many answers there are: they are numbered from 1.
func ReplyTexts() ReplyText { return ReplyOther }
