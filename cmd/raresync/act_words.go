package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

// fact is one thing that an act says.
type fact struct {
	What string `json:"what"`
	Says string `json:"says"`
}

// shownProposal is a proposal with what it says.
type shownProposal struct {
	admin.Proposal
	Says []fact `json:"says"`
}

// errUnread reports a proposal whose words cannot be shown, so that nobody may
// sign it.
var errUnread = errors.New("this program cannot read what is proposed")

// readProposal puts into words what is proposed, from the very bytes that
// approvals sign. Of one that has ended nothing is known.
func readProposal(p *admin.Proposal) ([]fact, error) {
	if len(p.Core) == 0 {
		return nil, nil
	}
	network, err := hex.DecodeString(p.NetworkID)
	if err != nil || len(network) != 32 {
		return nil, fmt.Errorf("%w: network id %q", errUnread, p.NetworkID)
	}
	if id := act.ProposalID([32]byte(network), p.Core); hex.EncodeToString(id[:]) != p.ID {
		return nil, fmt.Errorf("%w: it is not what the id %s names", errUnread, short(p.ID))
	}
	a, err := act.DecodeCore(p.Core)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	said, err := wordsOf(a)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	return said, nil
}

// wordsOf says in words what an act decides. Whoever adds a type that lead
// hospitals approve adds its words.
func wordsOf(a *act.Act) ([]fact, error) {
	switch a.Type {
	case act.TypeAdmission:
		d, err := act.DecodeAdmission(a.Payload)
		if err != nil {
			return nil, err
		}
		return admissionWords(d), nil
	case act.TypeCeremony:
		d, err := act.DecodeCeremony(a.Payload)
		if err != nil {
			return nil, err
		}
		return reshareWords(d), nil
	case act.TypeAllowance:
		d, err := act.DecodeAllowance(a.Payload)
		if err != nil {
			return nil, err
		}
		return allowanceWords(d), nil
	case act.TypeReplace:
		d, err := act.DecodeRotation(a.Payload)
		if err != nil {
			return nil, err
		}
		return replacementWords(d), nil
	case act.TypeRevoke:
		d, err := act.DecodeRevocation(a.Payload)
		if err != nil {
			return nil, err
		}
		return []fact{
			{"decision", fmt.Sprintf("a key of institution %d holds no longer", d.Institution)},
			{"key", hex.EncodeToString(d.Key[:])},
			{"since", fmt.Sprintf("envelope %d: what it signed from there on is marked", d.Since)},
		}, nil
	}
	return nil, fmt.Errorf("an act of type %s: use a newer version", a.Type)
}

func admissionWords(d *act.Admission) []fact {
	i := &d.Institution
	as := ""
	if len(d.Nodes) > 0 {
		as = fmt.Sprintf(" as institution %d", d.Nodes[0].Institution)
	}
	reads := "no right to read what others send"
	if i.Rights != 0 {
		reads = fmt.Sprintf("THE RIGHT TO READ what hospitals send from then on: %s", i.Rights)
	}
	facts := []fact{
		{"decision", fmt.Sprintf("let this %s in%s, with its nodes as mirrors and %s", i.Role, as, reads)},
		{"name", strings.TrimSpace(i.NameZH + " " + i.NameEN)},
		{"entity", i.Entity},
		{"province", i.Province},
		{"lead hospital", map[bool]string{true: "yes: its approval will count towards later acts", false: "no"}[i.Lead]},
		{"envelope key", i.Envelope.ID().String()},
		{"request key", i.Request.ID().String()},
		{"response key", i.Response.ID().String()},
		{"sealing key", i.Sealing.ID().String()},
	}
	for n := range d.Nodes {
		node := &d.Nodes[n]
		at := "dials out only"
		if len(node.Addresses) > 0 {
			at = "at " + strings.Join(node.Addresses, ", ")
		}
		facts = append(facts, fact{"node " + node.ID, node.Kind.String() + " " + at},
			fact{"its TLS key", node.TLS.ID().String()}, fact{"its log key", node.Log.ID().String()},
			fact{"its cosigning key", node.Cosign.ID().String()})
	}
	return facts
}

func reshareWords(d *act.Ceremony) []fact {
	facts := []fact{
		{"decision", fmt.Sprintf("move the pseudonymisation key to %d holders, %d of whom are needed then; pseudonyms stay", len(d.Holders), d.Threshold)},
		{"new epoch", fmt.Sprint(d.Epoch)},
		{"deadline", fmt.Sprintf("void unless it has ended by %s", time.UnixMilli(int64(d.Deadline)).UTC().Format(time.RFC3339))},
		{"what follows", "the operators of the present holders contribute, each with: raresync ceremony contribute"},
	}
	for i, n := range d.Holders {
		facts = append(facts, fact{fmt.Sprintf("share %d", i+1), fmt.Sprintf("institution %d (raresync member list names it)", n)})
	}
	return facts
}

func allowanceWords(d act.Allowance) []fact {
	day := func(n uint32) string { return time.Unix(int64(n)*86_400, 0).UTC().Format(time.DateOnly) }
	return []fact{
		{"decision", fmt.Sprintf("each share holder evaluates %d persons a day more for institution %d", d.Elements, d.Hospital)},
		{"from", day(d.First) + " (in China)"},
		{"to", day(d.Last) + " (in China), inclusive"},
		{"what it means", "so many more guesses a day could be made by whoever has that hospital's keys"},
	}
}

func replacementWords(d *act.Rotation) []fact {
	facts := []fact{{"decision", fmt.Sprintf("institution %d (raresync member list names it) has these keys from now on; those before hold no longer", d.Institution)}}
	for _, k := range []*sign.PublicKey{d.Envelope, d.Request, d.Response} {
		if k != nil {
			facts = append(facts, fact{k.Purpose().String() + " key", k.ID().String()})
		}
	}
	if id := d.Sealing.ID(); id != (seal.KeyID{}) {
		facts = append(facts, fact{"sealing key", id.String()})
	}
	for _, n := range d.Nodes {
		facts = append(facts, fact{"TLS key of node " + n.ID, n.TLS.ID().String()})
	}
	return facts
}

// cannotBeUndone says what an approval starts.
func cannotBeUndone(a string) string {
	return "an approval cannot be taken back: with enough of them this " + a + " is in force for everybody, and stays in the log for ever"
}

// printProposal shows a proposal to a person.
func printProposal(out *term.Output, w io.Writer, p admin.Proposal, said []fact) error {
	approved := fmt.Sprintf("%d of %d", p.Given, p.Needed)
	if p.State != "open" {
		approved = "" // not known any more
	}
	head := struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		State    string `json:"state"`
		By       string `json:"proposed_by"`
		Proposed string `json:"proposed"`
		Expires  string `json:"expires"`
		Reason   string `json:"reason"`
		Approved string `json:"approved"`
	}{p.ID, p.Type, p.State, fmt.Sprintf("%d %s", p.Proposer, p.ProposerName), p.Proposed, p.Expires, p.Reason, approved}
	if err := term.PrintOne(out, head); err != nil {
		return err
	}
	if len(said) > 0 {
		fmt.Fprintln(w)
		if err := term.Print(out, said); err != nil {
			return err
		}
	}
	if len(p.Approvals) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return term.Print(out, p.Approvals, "hospital", "name", "key_id")
}
