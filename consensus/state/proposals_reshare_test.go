package state_test

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

// reshare is a proposed move of the key of s to other holders, for two weeks.
func reshare(s *state.State, deadline uint64, holders ...uint32) act.Act {
	c := act.Ceremony{Epoch: s.OPRF.Epoch + 1, Threshold: 2, Holders: holders, Deadline: deadline}
	return act.Act{Version: act.Version, Type: act.TypeCeremony, RosterVersion: s.RosterVersion, Expiry: now + 14*day, Payload: c.Marshal()}
}

func TestTheSameReshareIsProposedOnce(t *testing.T) {
	net, s := found(t)
	first := reshare(s, now+2*hour, 3, 1)
	accept(t, s, actOf(t, s, net.Hospitals[2], proposalOf(first, "h2 leaves")).Marshal(), now)
	for name, tc := range map[string]struct {
		act   act.Act
		at    uint64
		words string // "" = it is taken
	}{
		"with another deadline":         {reshare(s, now+3*hour, 3, 1), now, "the same reshare is open as proposal"},
		"with its holders turned round": {reshare(s, now+3*hour, 1, 3), now, "the same reshare is open as proposal"},
		"to other holders":              {reshare(s, now+3*hour, 2, 1), now, ""},
		"to one more":                   {reshare(s, now+3*hour, 3, 1, 2), now, ""},
		"when its deadline has passed":  {reshare(s, now+5*hour, 3, 1), now + 2*hour, ""},
	} {
		code := state.CodeActPayload
		if tc.words == "" {
			code = ""
		}
		_, r := admit(s, actOf(t, s, net.Hospitals[0], proposalOf(tc.act, "")).Marshal(), tc.at)
		refusedAs(t, name, r, code, tc.words)
	}
}

func TestAProposedReshareEndsWithTheEpochAndTheDeadlineItIsFor(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*state.State)
		at     uint64
		want   state.ProposalEnd // 0 = it is open
	}{
		"as it was":                        {func(*state.State) {}, now + hour, 0},
		"the key has moved":                {func(s *state.State) { s.OPRF.Epoch++ }, now + hour, state.Overtaken},
		"a minute before the deadline":     {func(*state.State) {}, now + 2*hour - act.MinCeremonyTime, 0},
		"less than a minute is left of it": {func(*state.State) {}, now + 2*hour - act.MinCeremonyTime + 1, state.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			net, s := found(t)
			a := reshare(s, now+2*hour, 3, 1)
			id := act.ProposalID(net.ID, a.Core())
			accept(t, s, actOf(t, s, net.Hospitals[2], proposalOf(a, "")).Marshal(), now)
			tc.change(s)
			if end, found := s.EndOfProposal(id, tc.at); end != tc.want || found != (tc.want != 0) {
				t.Errorf("it is %s, want %s", end, tc.want)
			}
			_, r := admit(s, actOf(t, s, net.Hospitals[0], approvalOf(t, net.ID, net.Hospitals[0], a)).Marshal(), tc.at)
			if tc.want == 0 {
				refusedAs(t, "an approval", r, "", "")
				return
			}
			refusedAs(t, "an approval", r, state.CodeActPayload, "is "+tc.want.String())
			accept(t, s, entries(t, s, net.Hospitals[1], 1).Marshal(), tc.at)
			accept(t, s, actOf(t, s, net.Hospitals[0], unopenable(net.Hospitals[0], 2)).Marshal(), tc.at)
			if len(s.Proposals) != 0 || len(s.Ended) != 1 || s.Ended[0].End != tc.want {
				t.Errorf("%d proposals open, ended: %+v", len(s.Proposals), s.Ended)
			}
		})
	}
}
