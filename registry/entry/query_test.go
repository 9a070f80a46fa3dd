package entry_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
)

func queryOf(change func(*entry.Entry)) entry.Entry {
	e := entry.Entry{
		Type: entry.TypeQuery, Profile: entry.Report, ID: [32]byte{1},
		EventDate: entry.Date{Year: 2026, Month: 11, Day: 26}, Source: entry.SourceForm, Basis: entry.BasisStatutory,
		Query: &entry.Query{Action: entry.Ask, Target: 7, Hospital: 2, Rule: "ID007", Text: entry.QueryUnusual},
	}
	change(&e)
	return e
}

func replyOf(change func(*entry.Entry)) entry.Entry {
	e := queryOf(func(e *entry.Entry) { e.Type, e.Query = entry.TypeReply, nil })
	e.Reply = &entry.Reply{Query: 300, QueryID: [32]byte{0xbb}, Entry: [32]byte{0xcc}, Text: entry.ReplyRight}
	change(&e)
	return e
}

func asIs(*entry.Entry) {}

// The bytes of a query and a reply, written out by hand from docs/PROTOCOL.md.
func TestTheQueryEncodingsAreTheDocumentedOnes(t *testing.T) {
	tail := strings.Repeat("00", 31)
	common := "01" + "01" + "582001" + tail + "40" + "00" + "83" + "1907ea" + "0b" + "181a" + "05" + "01" + "40"
	for name, tc := range map[string]struct {
		e    entry.Entry
		want string
	}{
		"query": {queryOf(asIs), "8b" + "0d" + common + "85" + "01" + "07" + "02" + "65" + "4944303037" + "04"},
		"reply": {replyOf(asIs), "8b" + "0e" + common + "84" + "19012c" + "5820bb" + tail + "5820cc" + tail + "01"},
	} {
		got, err := entry.Encode(tc.e)
		if err != nil || hex.EncodeToString(got) != tc.want {
			t.Errorf("%s: got  %x\nwant %s (%v)", name, got, tc.want, err)
		}
		back, err := entry.Decode(got)
		if err != nil || back.Type.String() != name {
			t.Errorf("%s decodes as %s, %v", name, back.Type, err)
		}
		if content, err := back.Content(); err != nil || !strings.Contains(string(content), `"text"`) {
			t.Errorf("%s: content %s, %v", name, content, err)
		}
	}
}

func TestQueriesAndRepliesThatSayNothingHaveNoEncoding(t *testing.T) {
	for name, e := range map[string]entry.Entry{
		"no action":               queryOf(func(e *entry.Entry) { e.Query.Action = 0 }),
		"an action of later":      queryOf(func(e *entry.Entry) { e.Query.Action = 3 }),
		"of no hospital":          queryOf(func(e *entry.Entry) { e.Query.Hospital = 0 }),
		"of no rule":              queryOf(func(e *entry.Entry) { e.Query.Rule = "" }),
		"free text":               queryOf(func(e *entry.Entry) { e.Query.Rule = "张三" }),
		"a long code":             queryOf(func(e *entry.Entry) { e.Query.Rule = "ABCDE001" }),
		"a code in small letters": queryOf(func(e *entry.Entry) { e.Query.Rule = "id007" }),
		"a code of four digits":   queryOf(func(e *entry.Entry) { e.Query.Rule = "ID0007" }),
		"no text":                 queryOf(func(e *entry.Entry) { e.Query.Text = 0 }),
		"a text of later":         queryOf(func(e *entry.Entry) { e.Query.Text = entry.QueryTexts() + 1 }),
		"under a pseudonym":       queryOf(func(e *entry.Entry) { e.Pseudonym.Present = true }),
		"of no day":               queryOf(func(e *entry.Entry) { e.EventDate.Day = 0 }),
		"an answer to it as well": queryOf(func(e *entry.Entry) { e.Reply = &entry.Reply{Text: 1} }),
		"no answer":               replyOf(func(e *entry.Entry) { e.Reply.Text = 0 }),
		"an answer of later":      replyOf(func(e *entry.Entry) { e.Reply.Text = entry.ReplyTexts() + 1 }),
		"a reply of a strength":   replyOf(func(e *entry.Entry) { e.Strength = entry.StrengthStrong }),
	} {
		if _, err := entry.Encode(e); err == nil {
			t.Errorf("%s: encodes", name)
		}
	}
}

func TestHostileQueriesAreENC001(t *testing.T) {
	good, err := entry.Encode(queryOf(asIs))
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(good)
	for name, change := range map[string][2]string{
		"of no hospital":  {"8501070265", "8501070065"},
		"no action":       {"8501070265", "8500070265"},
		"a long form":     {"8501070265", "850118070265"},
		"free text":       {"654944303037", "65c3a4303037"},
		"a text of later": {"654944303037" + "04", "654944303037" + "07"},
		"of another type": {"8b0d", "8b0e"},
		"under a reserve": {"8b0d", "8b0c"},
	} {
		raw, err := hex.DecodeString(strings.Replace(text, change[0], change[1], 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Decode(raw); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
}

// The expected values were computed apart from this program, with Python's
// hmac.
func TestQueryAndReplyIDsAreTheDocumentedHMACs(t *testing.T) {
	key := [32]byte{7}
	q, r := *queryOf(asIs).Query, *replyOf(asIs).Reply
	id, err := entry.QueryID(key, q, [32]byte{})
	if got, want := fmt.Sprintf("%x", id), "03bf5d3156f39ded184bc280fe61a32c2223970fe3c894d67dbb1a82a8f93954"; err != nil || got != want {
		t.Errorf("query: got %s, want %s (%v)", got, want, err)
	}
	replied, err := entry.ReplyID(key, r, [32]byte{})
	if got, want := fmt.Sprintf("%x", replied), "950a20e4ba8a9be79bd0d3745354e3485e2204f92dbf14e56d7ae983e4bafac2"; err != nil || got != want {
		t.Errorf("reply: got %s, want %s (%v)", got, want, err)
	}
	closing := q
	closing.Action = entry.Close
	if closed, err := entry.QueryID(key, closing, id); err != nil || closed == id || !closing.Same(q) {
		t.Errorf("the closing has the id of the question (%v)", err)
	}
	if again, err := entry.QueryID(key, q, [32]byte{1}); err != nil || again == id {
		t.Errorf("the question asked again has the id of the first (%v)", err)
	}
	if _, err := entry.QueryID(key, entry.Query{}, [32]byte{}); err == nil {
		t.Error("an empty query has an id")
	}
}

func TestEveryTextIsThereInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	note := func(kind string, n int, short, en, zh string) {
		if short == "unknown" || en == "unknown" || zh == "unknown" || en == zh || seen[en] || seen[zh] {
			t.Errorf("%s %d: %q %q %q", kind, n, short, en, zh)
		}
		seen[en], seen[zh] = true, true
	}
	for i := entry.QueryText(1); i <= entry.QueryTexts(); i++ {
		note("query", int(i), i.String(), i.Words("en"), i.Words("zh"))
	}
	for i := entry.ReplyText(1); i <= entry.ReplyTexts(); i++ {
		note("reply", int(i), i.String(), i.Words("en"), i.Words("zh"))
	}
}

func TestAReferralAndAQueryHaveAnAddressee(t *testing.T) {
	referral := entry.Entry{
		Type: entry.TypeReferral, Profile: entry.Report, Source: entry.SourceCSV, ID: [32]byte{1},
		Facts: entry.Facts{Referral: &entry.Referral{To: "12100000400000000W"}},
	}
	corrected, err := entry.Correct([32]byte{7}, 3, referral, referral, entry.Revised, [32]byte{})
	if err != nil {
		t.Fatal(err)
	}
	other := referral
	other.Type, other.Facts = entry.TypeDeath, entry.Facts{Death: &entry.Death{}}
	for name, tc := range map[string]struct {
		e               entry.Entry
		hospital, thing bool // meant for hospital 2; for the one with the code
	}{
		"a referral":              {referral, false, true},
		"a correction of one":     {corrected, false, true},
		"a query":                 {queryOf(asIs), true, false},
		"a reply":                 {replyOf(asIs), false, false},
		"a death":                 {other, false, false},
		"a referral to no matter": {entry.Entry{Type: entry.TypeReferral, Profile: entry.Report, Source: entry.SourceCSV, Facts: entry.Facts{Referral: &entry.Referral{From: "x"}}}, false, false},
	} {
		to := tc.e.Addressee()
		if to.Is(2, "") != tc.hospital || to.Is(3, "12100000400000000w") != tc.thing || to.Is(1, "") {
			t.Errorf("%s: %+v", name, to)
		}
		raw, err := entry.Encode(tc.e)
		if err != nil {
			t.Fatal(err)
		}
		if may := entry.MayBeAddressed(raw); may != (tc.hospital || tc.thing || tc.e.Referral != nil) {
			t.Errorf("%s: may be addressed: %t", name, may)
		}
	}
	if entry.MayBeAddressed([]byte("no entry")) || entry.MayBeAddressed(nil) {
		t.Error("what is no entry may be addressed")
	}
}
