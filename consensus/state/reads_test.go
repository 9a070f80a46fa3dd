package state_test

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
)

func TestWhatReadersSayOfTheirReading(t *testing.T) {
	net, s := found(t)
	today := pseudonym.QuotaDay(now)
	read := func(day uint32) act.Act {
		return plainAct(act.TypeRead, act.Read{Purpose: act.PurposeQuality, Day: day, Hash: [32]byte{1}}.Marshal())
	}
	notices := func(day uint32, to ...uint32) act.Act {
		n := act.Notices{Day: day}
		for _, h := range to {
			n.To = append(n.To, act.Notice{Hospital: h, Sealed: make([]byte, act.SealedNoticeBytes)})
		}
		return plainAct(act.TypeNotices, n.Marshal())
	}
	_, r := admit(s, actOf(t, s, net.Reader, read(today)).Marshal(), now)
	refusedFor(t, "before the level is in force", r, state.CodeActType, "read is of feature level 3")
	_, r = admit(s, actOf(t, s, net.Reader, notices(today, 1)).Marshal(), now)
	refusedFor(t, "before the level is in force", r, state.CodeActType, "read notices is of feature level 3")
	raised(t, net, s, 3)
	before := string(s.AppendCBOR(nil))
	for name, tc := range map[string]struct {
		by   int
		a    act.Act
		code state.Code
		why  string
	}{
		"by a hospital":          {1, read(today), state.CodeActPayload, "institution 1 reads nothing of others"},
		"of the day before last": {0, read(today - 2), state.CodeActPayload, "log time is of day"},
		"of the day after next":  {0, read(today + 2), state.CodeActPayload, "log time is of day"},
		"for no purpose":         {0, plainAct(act.TypeRead, act.Read{Day: today}.Marshal()), state.CodeActPayload, "there is no purpose 0"},
		"for an unknown purpose": {0, plainAct(act.TypeRead, act.Read{Purpose: 99, Day: today}.Marshal()), state.CodeActPayload, "there is no purpose 99"},
		"approved":               {0, decided(t, net, s, act.TypeRead, read(today).Payload, 1, 2), state.CodeActApproval, "needs no approvals"},
		"notices by a hospital":  {1, notices(today, 2), state.CodeActPayload, "reads nothing of others"},
		"notices to a reader":    {0, notices(today, 4), state.CodeActPayload, "institution 4 is no hospital"},
		"notices to nobody":      {0, notices(today), state.CodeActPayload, "there are none"},
		"notices out of order":   {0, notices(today, 2, 1), state.CodeActPayload, "ascend"},
		"notices of tomorrow":    {0, notices(today+1, 1), state.CodeActPayload, "log time is of day"},
	} {
		sender := net.Reader
		if tc.by > 0 {
			sender = net.Hospitals[tc.by-1]
		}
		_, r := admit(s, actOf(t, s, sender, tc.a).Marshal(), now)
		refusedFor(t, name, r, tc.code, tc.why)
	}
	if string(s.AppendCBOR(nil)) != before {
		t.Error("a refusal changed the state")
	}
	accept(t, s, actOf(t, s, net.Reader, read(today-1)).Marshal(), now)
	accept(t, s, actOf(t, s, net.Reader, notices(today-1, 1, 2, 3)).Marshal(), now)
	s = deepCopy(t, s)
	if s.FeatureLevel != 3 {
		t.Errorf("level %d", s.FeatureLevel)
	}
}
