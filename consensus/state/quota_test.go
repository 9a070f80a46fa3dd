package state_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// today is the quota day of the tests' log time.
var today = pseudonym.QuotaDay(now)

// allowance is the act that gives a hospital more, approved by hospitals 1 to 3.
func allowance(t testing.TB, net *foundingtest.Network, s *state.State, a act.Allowance, expiry uint64) act.Act {
	t.Helper()
	return approve(t, net, act.Act{
		Version: act.Version, Type: act.TypeAllowance, RosterVersion: s.RosterVersion, Expiry: expiry, Payload: a.Marshal(),
	}, 1, 2, 3)
}

func wantRefusal(t *testing.T, s *state.State, m *foundingtest.Member, a act.Act, at uint64, code state.Code, detail string) {
	t.Helper()
	_, r := admit(s, actOf(t, s, m, a).Marshal(), at)
	switch {
	case code == "" && r == nil:
	case r == nil || r.Code != code || !strings.Contains(r.Detail, detail):
		t.Errorf("got %v, want %q with %q", r, code, detail)
	}
}

func TestAllowancesAreRefusedByName(t *testing.T) {
	net, s := found(t)
	valid := act.Allowance{Hospital: 2, First: today, Last: today + 10, Elements: 500}
	for name, tc := range map[string]struct {
		change func(*act.Allowance, *act.Act)
		code   state.Code
		detail string
	}{
		"as it should be":     {func(*act.Allowance, *act.Act) {}, "", ""},
		"that ends today":     {func(a *act.Allowance, _ *act.Act) { a.First, a.Last = today-3, today }, "", ""},
		"that ended":          {func(a *act.Allowance, _ *act.Act) { a.First, a.Last = today-3, today-1 }, state.CodeActPayload, "ended on day"},
		"of a later year":     {func(a *act.Allowance, _ *act.Act) { a.First, a.Last = today+367, today+367 }, state.CodeActPayload, "367 days ahead"},
		"for a reader":        {func(a *act.Allowance, _ *act.Act) { a.Hospital = 4 }, state.CodeActPayload, "is no hospital"},
		"for nobody":          {func(a *act.Allowance, _ *act.Act) { a.Hospital = 9 }, state.CodeActPayload, "is no hospital"},
		"of too much":         {func(a *act.Allowance, _ *act.Act) { a.Elements = 100_001 }, state.CodeActPayload, "at most 100000"},
		"of too many days":    {func(a *act.Allowance, _ *act.Act) { a.Last = today + 366 }, state.CodeActPayload, "at most 366"},
		"that is not CBOR":    {func(_ *act.Allowance, a *act.Act) { a.Payload = []byte("?"); *a = approve(t, net, *a, 1, 2, 3) }, state.CodeActPayload, "ENC001"},
		"approved by too few": {func(_ *act.Allowance, a *act.Act) { a.Approvals = nil }, state.CodeActApproval, "0 approvals"},
		"approved too long":   {func(_ *act.Allowance, a *act.Act) { a.Expiry = now - 1 }, state.CodeActApproval, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			payload := valid
			a := allowance(t, net, s, valid, now+60_000)
			tc.change(&payload, &a)
			if payload != valid {
				a = allowance(t, net, s, payload, now+60_000)
			}
			wantRefusal(t, s, net.Hospitals[0], a, now, tc.code, tc.detail)
		})
	}
}

func TestAFoundersOwnQuotaTakesThePlaceOfTheFloor(t *testing.T) {
	_, s := found(t)
	s.Policy.Quotas = []act.Quota{{Hospital: 2, Elements: 20_000}, {Hospital: 3, Elements: 3_000}}
	s = deepCopy(t, s)
	s.Members[2].Entity = s.Members[3].Entity // a reader's
	for hospital, want := range map[uint32]uint64{1: s.Policy.QuotaFloor, 2: 20_000, 3: 300, 9: 0} {
		if got := s.Quota(hospital, today); got != want {
			t.Errorf("institution %d: quota %d, want %d", hospital, got, want)
		}
	}
}

func TestAnAllowanceCountsOnItsDaysUntilAnotherReplacesIt(t *testing.T) {
	net, s := found(t)
	floor := s.Policy.QuotaFloor
	first := allowance(t, net, s, act.Allowance{Hospital: 2, First: today + 1, Last: today + 2, Elements: 500}, now+60_000)
	accept(t, s, actOf(t, s, net.Hospitals[2], first).Marshal(), now)
	for day, want := range map[uint32]uint64{today: floor, today + 1: floor + 500, today + 2: floor + 500, today + 3: floor} {
		if got := s.Quota(2, day); got != want {
			t.Errorf("day %d: quota %d, want %d", day-today, got, want)
		}
	}
	if got := s.Quota(1, today+1); got != floor {
		t.Errorf("another hospital has %d, want the floor", got)
	}
	clone := s.Clone()
	s = deepCopy(t, s)
	accept(t, s, actOf(t, s, net.Hospitals[2], allowance(t, net, s, act.Allowance{Hospital: 2, First: today, Last: today}, now+60_001)).Marshal(), now)
	if got := s.Quota(2, today+1); got != floor {
		t.Errorf("ended, it still gives %d", got)
	}
	if got := clone.Quota(2, today+1); got != floor+500 {
		t.Errorf("a clone changed with its origin: %d", got)
	}
	wantRefusal(t, s, net.Hospitals[1], first, now, state.CodeActApproval, "expire no sooner")
}

func TestAllowancesThatHaveEndedAreDropped(t *testing.T) {
	net, s := found(t)
	for _, h := range []uint32{2, 3} {
		a := allowance(t, net, s, act.Allowance{Hospital: h, First: today, Last: today + h, Elements: 1}, now+60_000)
		accept(t, s, actOf(t, s, net.Hospitals[0], a).Marshal(), now)
	}
	const later = now + 4*24*3_600_000
	a := allowance(t, net, s, act.Allowance{Hospital: 1, First: today, Last: today + 9, Elements: 1}, later)
	accept(t, s, actOf(t, s, net.Hospitals[0], a).Marshal(), later)
	var kept []uint32
	for _, a := range s.Allowances {
		kept = append(kept, a.Hospital)
	}
	if !slices.Equal(kept, []uint32{1, 3}) {
		t.Errorf("kept are those of %v, want 1 and 3", kept)
	}
}

func TestWhoAlsoReadsHasAReducedQuota(t *testing.T) {
	for name, tc := range map[string]struct {
		floor         uint64
		member, asker uint32
		want          uint64
	}{
		"a hospital":                      {10_000, 0, 2, 10_000},
		"a hospital of a reader's entity": {10_000, 2, 2, 1_000},
		"another hospital":                {10_000, 2, 3, 10_000},
		"the reader itself":               {10_000, 0, 4, 1_000},
		"with a small floor at least 100": {500, 2, 2, 100},
		"nobody":                          {10_000, 0, 5, 0},
		"the number 0":                    {10_000, 0, 0, 0},
	} {
		_, s := found(t)
		s.Policy.QuotaFloor = tc.floor
		if tc.member != 0 {
			s.Members[tc.member-1].Entity = s.Members[3].Entity
		}
		if got := s.Quota(tc.asker, today); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
}

// usageOf is a holder's act about a week.
func usageOf(u act.Usage) act.Act {
	return act.Act{Version: act.Version, Type: act.TypeUsage, Payload: u.Marshal()}
}

func TestUsagesAreRefusedByName(t *testing.T) {
	net, s := found(t)
	week := today/act.DaysInWeek - 1
	total := []act.UsageTotal{{Hospital: 2, Bucket: 3}}
	accept(t, s, actOf(t, s, net.Hospitals[0], usageOf(act.Usage{Week: week, Requests: 1, Totals: total})).Marshal(), now)
	monday := now - uint64(today%act.DaysInWeek)*86_400_000 + 7*86_400_000 // week+1 has ended
	for name, tc := range map[string]struct {
		sender *foundingtest.Member
		a      act.Act
		at     uint64
		code   state.Code
		detail string
	}{
		"of another holder":         {net.Hospitals[1], usageOf(act.Usage{Week: week}), now, "", ""},
		"of the next week":          {net.Hospitals[0], usageOf(act.Usage{Week: week + 1}), monday, "", ""},
		"of a week that goes on":    {net.Hospitals[0], usageOf(act.Usage{Week: week + 1}), monday - 2*86_400_000, state.CodeActPayload, "has not ended"},
		"of the last week there is": {net.Hospitals[0], usageOf(act.Usage{Week: 1<<32 - 1}), now, state.CodeActPayload, "has not ended"},
		"of the same week again":    {net.Hospitals[0], usageOf(act.Usage{Week: week}), now, state.CodeActPayload, "has posted its usage up to"},
		"of a week before":          {net.Hospitals[0], usageOf(act.Usage{Week: week - 1}), now, state.CodeActPayload, "has posted its usage up to"},
		"of a week long ago":        {net.Hospitals[1], usageOf(act.Usage{Week: week - 4}), now, state.CodeActPayload, "weeks ago"},
		"by who holds no share":     {net.Reader, usageOf(act.Usage{Week: week}), now, state.CodeActPayload, "holds no share"},
		"of nobody's use":           {net.Hospitals[1], usageOf(act.Usage{Week: week, Requests: 1, Totals: []act.UsageTotal{{Hospital: 5, Bucket: 1}}}), now, state.CodeActPayload, "is no member"},
		"that makes no sense":       {net.Hospitals[1], usageOf(act.Usage{Week: week, Totals: total}), now, state.CodeActPayload, "0 requests"},
		"that is not CBOR":          {net.Hospitals[1], act.Act{Version: 1, Type: act.TypeUsage, Payload: []byte("?")}, now, state.CodeActPayload, "ENC001"},
		"with an expiry":            {net.Hospitals[1], act.Act{Version: 1, Type: act.TypeUsage, Expiry: 7}, now, state.CodeActApproval, "needs no approvals"},
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, s, tc.sender, tc.a, tc.at, tc.code, tc.detail) })
	}
}

func TestUsagesAreKeptForFourWeeks(t *testing.T) {
	net, s := found(t)
	const week = 7 * 86_400_000
	first := today/act.DaysInWeek - 1
	for i := range uint32(7) {
		u := act.Usage{Week: first + i, Requests: 1, Totals: []act.UsageTotal{{Hospital: 2, Bucket: uint8(i) + 1}}}
		accept(t, s, actOf(t, s, net.Hospitals[i%2], usageOf(u)).Marshal(), now+uint64(i)*week)
		s = deepCopy(t, s)
	}
	for i, u := range s.Usages {
		if want := first + 3 + uint32(i); u.Week != want || u.Of(2) != uint8(want-first)+1 || u.Holder != (want-first)%2+1 || u.Envelope != uint64(want-first)+1 {
			t.Errorf("usage %d is %+v, want week %d", i, u, want)
		}
	}
	if last, ok := s.LastUsage(1); len(s.Usages) != 4 || !ok || last != first+6 {
		t.Errorf("%d usages, the last of holder 1 is %d, %v", len(s.Usages), last, ok)
	}
}
