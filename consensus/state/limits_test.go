package state_test

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

func TestLimitsChangeByActFromLevel2On(t *testing.T) {
	net, s := found(t)
	with := func(change func(*act.Limits)) []byte {
		d := act.Settings{Quorum: s.Quorum, Policy: s.Policy}
		d.Policy.Limits = act.DefaultLimits()
		change(&d.Policy.Limits)
		return d.Marshal()
	}
	check := func(name string, raw []byte, code state.Code, words string) {
		t.Helper()
		_, r := admit(s, actOf(t, s, net.Hospitals[0], decided(t, net, s, act.TypeSettings, raw, 1, 2)).Marshal(), now)
		refusedAs(t, name, r, code, words)
	}
	check("at level 1", with(func(*act.Limits) {}), state.CodeActType, "limits are of feature level 2, and level 1 is in force")
	raised(t, net, s, 2)
	for name, tc := range map[string]struct {
		change func(*act.Limits)
		words  string // "" = it is admitted
	}{
		"the default":      {func(*act.Limits) {}, ""},
		"the least of all": {func(l *act.Limits) { *l = act.Limits{SpreadHours: 1, DeclareMinutes: 10, SaltsDays: 1, LeastQuota: 1} }, ""},
		"the most of all": {func(l *act.Limits) {
			*l = act.Limits{SpreadHours: 720, DeclareMinutes: 43_200, SaltsDays: 400, LeastQuota: 10_000}
		}, ""},
		"no time to post":        {func(l *act.Limits) { l.SpreadHours = 0 }, "hours to post a withdrawal 0: want 1 to 720"},
		"more than a month":      {func(l *act.Limits) { l.SpreadHours = 721 }, "hours to post a withdrawal 721"},
		"ten minutes less one":   {func(l *act.Limits) { l.DeclareMinutes = 9 }, "minutes to declare an erasure 9: want 10 to 43200"},
		"backups for ever":       {func(l *act.Limits) { l.SaltsDays = 401 }, "days that a backup with salts lasts 401: want 1 to 400"},
		"no quota":               {func(l *act.Limits) { l.LeastQuota = 0 }, "least quota 0: want 1 to 10000"},
		"more quota than may be": {func(l *act.Limits) { l.LeastQuota = 10_001 }, "least quota 10001"},
	} {
		code := state.Code("")
		if tc.words != "" {
			code = state.CodeActPayload
		}
		check(name, with(tc.change), code, tc.words)
	}
	accept(t, s, actOf(t, s, net.Hospitals[0], saltsBackup("h1", 1, now+8*day)).Marshal(), now)
	if s.Policy.InForce() != act.DefaultLimits() || s.Policy.Level() != 1 {
		t.Errorf("before: %s", s.Policy)
	}
	decide(t, net, s, act.TypeSettings, with(func(l *act.Limits) { l.SaltsDays, l.LeastQuota = 7, 50 }))
	s = deepCopy(t, s)
	if got := s.Quota(4, today); got != 1_000 { // a tenth of the floor, which is more
		t.Errorf("a reader may ask %d", got)
	}
	s.Policy.QuotaFloor = 100
	if got := s.Quota(4, today); got != 50 {
		t.Errorf("with a small floor a reader may ask %d, want the least quota", got)
	}
	if l := s.Policy.InForce(); l.SaltsDays != 7 || l.LeastQuota != 50 || l.SpreadHours != 720 {
		t.Errorf("in force: %+v", l)
	}
	for name, tc := range map[string]struct {
		expiry uint64
		code   state.Code
	}{
		"a backup of a week":                {now + 7*day, ""},
		"a backup of a week and a moment":   {now + 7*day + 1, state.CodeActPayload},
		"a backup as long as was good once": {now + 8*day, state.CodeActPayload},
	} {
		_, r := admit(s, actOf(t, s, net.Hospitals[0], saltsBackup("h1", 1, tc.expiry)).Marshal(), now)
		refusedAs(t, name, r, tc.code, "the backup is to last")
	}
	s.Policy.QuotaFloor = act.DefaultPolicy().QuotaFloor
	check("what is in force", with(func(l *act.Limits) { l.SaltsDays, l.LeastQuota = 7, 50 }), state.CodeActPayload, "in force already")
}
