package main

import (
	"encoding/pem"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

func TestAReplacementFileGivesItsAct(t *testing.T) {
	key, err := sign.Generate(sign.PurposeEnvelope)
	if err != nil {
		t.Fatal(err)
	}
	r := act.Rotation{Institution: 3, Envelope: key.Public()}
	if err := r.Prove([32]byte{1}, key); err != nil {
		t.Fatal(err)
	}
	file := func(kind string, b []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}) }
	a, err := replaceAct(file(replacementBlock, r.Marshal()))
	if err != nil || a.Type != act.TypeReplace || string(a.Payload) != string(r.Marshal()) || len(a.Approvals) != 0 {
		t.Errorf("got %s, %v", a.Type, err)
	}
	empty := act.Rotation{Institution: 3}
	for name, tc := range map[string]struct {
		in   []byte
		want string
	}{
		"a card":            {file("RARESYNC CARD", r.Marshal()), "holds no RARESYNC REPLACEMENT"},
		"no armour":         {r.Marshal(), "holds no RARESYNC REPLACEMENT"},
		"cut short":         {file(replacementBlock, r.Marshal()[:50]), "rotation"},
		"one without a key": {file(replacementBlock, empty.Marshal()), "brings no key"},
	} {
		if _, err := replaceAct(tc.in); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	revoke := revokeAct(3, key.Public().ID(), 7)
	got, err := act.DecodeRevocation(revoke.Payload)
	if err != nil || revoke.Type != act.TypeRevoke || got != (act.Revocation{Institution: 3, Key: key.Public().ID(), Since: 7}) {
		t.Errorf("a revocation: %+v, %v", got, err)
	}
}

func TestTheWordsOfAReplacementNameTheSealingKeyToo(t *testing.T) {
	i := foundingtest.Newcomer(t, "h5", 5).Card.Institution
	r := act.Rotation{Institution: 5, Envelope: i.Envelope, Request: i.Request, Response: i.Response, Sealing: i.Sealing}
	var text strings.Builder
	for _, f := range (teller{}).replacement(&r) {
		text.WriteString(f.What + ": " + f.Says + "\n")
	}
	for _, want := range []string{"envelope key: " + i.Envelope.ID().String(), "sealing key: " + i.Sealing.ID().String()} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}
