package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func TestInstitutionsHaveTheirNamesInTheUsersLanguage(t *testing.T) {
	members := []admin.Member{
		{Number: 1, NameEN: "Hospital 1", NameZH: "第一医院"}, {Number: 2, NameEN: "Hospital 2"}, {Number: 3, NameZH: "第三医院"},
		{Number: 4, NameEN: "evil\x1b[2J"},
	}
	for lang, want := range map[string][]string{
		"en": {"Hospital 1 (1)", "Hospital 2 (2)", "第三医院 (3)", `evil\x1b[2J (4)`, "institution 5"},
		"zh": {"第一医院 (1)", "Hospital 2 (2)", "第三医院 (3)", `evil\x1b[2J (4)`, "第 5 号机构"},
	} {
		n := teller{voice: voice{lang}, names: namesOf(voice{lang}, members)}
		for i, w := range want {
			if got := n.of(uint32(i + 1)); got != w {
				t.Errorf("%s: institution %d is %q, want %q", lang, i+1, got, w)
			}
		}
	}
}

func TestAVoidCeremonyNamesWhoIsToBlame(t *testing.T) {
	tell := teller{voice: voice{"en"}, names: names{2: "Hospital 2"}}
	err := tell.voidError(admin.Key{Ceremony: &admin.Ceremony{Ended: "void: a dealer dealt a false share", Blamed: 2, EndedAt: 9}})
	if zh := (teller{voice: voice{"zh"}}).voidError(admin.Key{Ceremony: &admin.Ceremony{Ended: "void: a complaint was false", Blamed: 7}}); !strings.Contains(zh.Error(), "作废：投诉不实 (第 7 号机构") {
		t.Errorf("got %v", zh)
	}
	for _, want := range []string{"a false share (Hospital 2 (2), envelope 9 of the log)", "hint: speak with Hospital 2 (2), then start another"} {
		if !errors.Is(err, errVoid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestStatusOfAVoidReshareSaysWhoAndWhatNext(t *testing.T) {
	for name, tc := range map[string]struct {
		ceremony  admin.Ceremony
		says, not string
	}{
		"a void reshare":    {admin.Ceremony{Epoch: 2, Ended: "void: a holder gave up", Blamed: 2}, "speak with Hospital 2 (2): nothing was lost", "ceremony start"},
		"is proposed again": {admin.Ceremony{Epoch: 2, Ended: "void: its deadline has passed"}, "propose another with: raresync ceremony reshare", "speak with"},
		"a void first key":  {admin.Ceremony{Epoch: 1, Ended: "void: a holder gave up", Blamed: 2}, "start another with: raresync ceremony start", "reshare"},
		"one in force":      {admin.Ceremony{Epoch: 2, Ended: "in force"}, "", "with"},
	} {
		var out strings.Builder
		teller{voice: voice{"en"}, names: names{2: "Hospital 2"}}.afterVoid(term.NewScreen(&out), &tc.ceremony)
		if got := out.String(); !strings.Contains(got, tc.says) || strings.Contains(got, tc.not) {
			t.Errorf("%s: %q, want %q and not %q", name, got, tc.says, tc.not)
		}
	}
}

func TestWhatARotationAsksIsOfTheKeysItReplaces(t *testing.T) {
	for name, tc := range map[string]struct {
		purposes  []string
		says, not string
	}{
		"sealing alone":   {[]string{"sealing"}, "The present sealing key stays, to open", "Destroyed"},
		"TLS alone":       {[]string{"tls"}, "The present TLS key stays until the next", "Destroyed"},
		"envelope alone":  {[]string{"envelope"}, "Destroyed then: the present key for envelope.", "stays"},
		"all but sealing": {[]string{"envelope", "request", "response", "tls"}, "Destroyed then: the present key for envelope, request, response.", "sealing"},
	} {
		got := rotateQuestion(voice{"en"}, tc.purposes)
		if !strings.Contains(got, tc.says) || strings.Contains(got, tc.not) {
			t.Errorf("%s: %q, want %q and not %q", name, got, tc.says, tc.not)
		}
	}
}
