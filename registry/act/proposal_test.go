package act_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/act"
)

func TestOnlyActsThatLeadHospitalsApproveAreProposed(t *testing.T) {
	var need []string
	for n := range act.Type(100) {
		if n.NeedsApproval() {
			need = append(need, n.String())
		}
	}
	if want := []string{"admission", "ceremony", "allowance", "replacement", "revocation", "withdrawal",
		"promotion", "demotion", "removal", "enrolment", "settings", "reader rights", "feature level", "edition"}; !slices.Equal(need, want) {
		t.Errorf("%v need approvals, want %v", need, want)
	}
}

func TestAProposalIsNamedByItsNetworkAndItsAct(t *testing.T) {
	a := act.Act{Version: act.Version, Type: act.TypeAdmission, RosterVersion: 1, Expiry: 9, Payload: []byte{1}}
	other := a
	other.Expiry++
	id := act.ProposalID([32]byte{1}, a.Core())
	if id != act.ProposalID([32]byte{1}, a.Core()) {
		t.Error("one proposal, two ids")
	}
	if id == act.ProposalID([32]byte{2}, a.Core()) || id == act.ProposalID([32]byte{1}, other.Core()) {
		t.Error("two proposals, one id")
	}
}

func TestACoreIsReadAsItWasWritten(t *testing.T) {
	a := act.Act{Version: act.Version, Type: act.TypeAdmission, RosterVersion: 7, Expiry: 9, Payload: []byte{1, 2}}
	got, err := act.DecodeCore(a.Core())
	if err != nil || !bytes.Equal(got.Core(), a.Core()) || got.Approvals != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, raw := range map[string][]byte{
		"a whole act": a.Marshal(), "a byte more": append(a.Core(), 0), "a byte less": a.Core()[:len(a.Core())-1], "nothing": nil,
	} {
		if got, err := act.DecodeCore(raw); err == nil {
			t.Errorf("%s: read as %+v", name, got)
		}
	}
}

func TestProposalsAboveTheirLimitsAreNotRead(t *testing.T) {
	for name, tc := range map[string]struct {
		core, reason int
		read         bool
	}{
		"at the limits":             {act.TypeEdition.MaxCore(), act.MaxReasonBytes, true},
		"a core a byte too large":   {act.TypeEdition.MaxCore() + 1, 0, false},
		"a reason a byte too large": {0, act.MaxReasonBytes + 1, false},
	} {
		p := act.Proposal{Core: make([]byte, tc.core), Reason: strings.Repeat("r", tc.reason)}
		if _, err := act.DecodeProposal(p.Marshal()); (err == nil) != tc.read {
			t.Errorf("%s: %v", name, err)
		}
	}
}
