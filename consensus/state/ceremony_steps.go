package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// step returns the ceremony under way that an act without approvals belongs to.
func (s *State) step(a *act.Act, number, logTime uint64) (*Ceremony, *Refusal) {
	if r := unapproved(a); r != nil {
		return nil, r
	}
	c := s.OpenCeremony(logTime)
	if c == nil || c.Number != number {
		return nil, refuse(CodeActPayload, "ceremony %d is not under way", number)
	}
	return c, nil
}

// newHolder is step for an act that only new holders post.
func (s *State) newHolder(e *envelope.Envelope, a *act.Act, number, logTime uint64) (*Ceremony, uint16, *Refusal) {
	c, r := s.step(a, number, logTime)
	if r != nil {
		return nil, 0, r
	}
	share := c.Share(e.Hospital)
	if share == 0 {
		return nil, 0, refuse(CodeActPayload, "institution %d is no new holder of ceremony %d", e.Hospital, number)
	}
	return c, share, nil
}

func (s *State) admitJoin(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	j, err := act.DecodeJoin(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	c, share, r := s.newHolder(e, a, j.Ceremony, logTime)
	switch {
	case r != nil:
		return r
	case c.HasJoined(share):
		return refuse(CodeActPayload, "holder %d has joined", share)
	case c.IsReshare() != (j.Commit == [32]byte{}):
		return refuse(CodeActPayload, "a commitment is due for a new key, and none for a reshare")
	}
	if err := keyshare.CheckCeremonyKeys(s.Run(c), j.Keys); err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	return nil
}

func (s *State) acceptJoin(e *envelope.Envelope, a *act.Act) {
	j, err := act.DecodeJoin(a.Payload)
	if err != nil {
		return // not admitted
	}
	c := s.Ceremony
	c.Joins[c.Share(e.Hospital)-1] = Joined{Keys: j.Keys, Commit: j.Commit}
	c.Size = s.Tree.Size()
}

// admitDeal checks all of a deal that its public bytes show. Whether a sealed
// share is the committed one, its holder finds out.
func (s *State) admitDeal(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	l, err := act.DecodeDeal(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	c, r := s.step(a, l.Ceremony, logTime)
	if r != nil {
		return r
	}
	dealer := s.Dealer(c, e.Hospital)
	_, dealt := c.Dealt(dealer)
	switch {
	case dealer == 0:
		return refuse(CodeActPayload, "institution %d is no dealer of ceremony %d", e.Hospital, c.Number)
	case l.Deal.Dealer != dealer:
		return refuse(CodeActPayload, "institution %d deals as dealer %d, not %d", e.Hospital, dealer, l.Deal.Dealer)
	case !c.AllJoined():
		return refuse(CodeActPayload, "not every holder has joined")
	case dealt:
		return refuse(CodeActPayload, "dealer %d has dealt", dealer)
	case s.AllDealt(c):
		return refuse(CodeActPayload, "ceremony %d has the %d deals that it takes", c.Number, s.DealsNeeded(c))
	}
	if c.IsReshare() {
		err = l.Deal.CheckReshare(s.Run(c), s.OPRF)
	} else {
		err = l.Deal.CheckDKG(s.Run(c), c.Joins[dealer-1].Commit)
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	return nil
}

// acceptDeal takes in a deal. All of them together may make no key, though
// each is good: then the ceremony has failed.
func (s *State) acceptDeal(a *act.Act) {
	l, err := act.DecodeDeal(a.Payload)
	if err != nil {
		return // not admitted
	}
	c := s.Ceremony
	c.Deals = append(c.Deals, l.Deal)
	slices.SortFunc(c.Deals, func(a, b keyshare.Deal) int { return cmp.Compare(a.Dealer, b.Dealer) })
	c.Size = s.Tree.Size()
	if !s.AllDealt(c) {
		return
	}
	if _, err := s.Record(c); err != nil {
		s.endCeremony(GivenUp, 0)
	}
}

func (s *State) admitConfirm(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	f, err := act.DecodeConfirm(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	c, share, r := s.newHolder(e, a, f.Ceremony, logTime)
	switch {
	case r != nil:
		return r
	case !s.AllDealt(c):
		return refuse(CodeActPayload, "not every dealer has dealt")
	case c.Confirmed[share-1]:
		return refuse(CodeActPayload, "holder %d has confirmed", share)
	case f.Transcript != s.Transcript(c):
		return refuse(CodeActPayload, "holder %d confirms another run than the log has", share)
	}
	return nil
}

func (s *State) acceptConfirm(e *envelope.Envelope) {
	c := s.Ceremony
	c.Confirmed[c.Share(e.Hospital)-1] = true
	c.Size = s.Tree.Size()
}

// admitComplaint takes any complaint of a new holder that joined: whoever is
// wrong, the ceremony cannot go on without it.
func (s *State) admitComplaint(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	p, err := act.DecodeComplaint(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	c, share, r := s.newHolder(e, a, p.Ceremony, logTime)
	switch {
	case r != nil:
		return r
	case !c.HasJoined(share):
		return refuse(CodeActPayload, "holder %d has not joined", share)
	case p.Accused == 0 && p.Seed != [32]byte{}:
		return refuse(CodeActPayload, "evidence against nobody")
	case p.Accused == 0:
		return nil
	}
	if _, err := s.judge(c, share, p); err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	return nil
}

// judge opens what the accused dealt to the complainer and reports whether the
// accused lied.
func (s *State) judge(c *Ceremony, share uint16, p *act.Complaint) (bool, error) {
	deal, ok := c.Dealt(p.Accused)
	if !ok {
		return false, refuse(CodeActPayload, "dealer %d has not dealt", p.Accused)
	}
	return keyshare.Judge(s.Run(c), deal, share, c.Joins[share-1].Keys[p.Accused-1], p.Seed)
}

func (s *State) acceptComplaint(e *envelope.Envelope, a *act.Act) {
	p, err := act.DecodeComplaint(a.Payload)
	if err != nil {
		return // not admitted
	}
	c := s.Ceremony
	if p.Accused == 0 {
		s.endCeremony(GivenUp, e.Hospital)
		return
	}
	lied, err := s.judge(c, c.Share(e.Hospital), p)
	if err != nil {
		return // not admitted
	}
	if !lied {
		s.endCeremony(Slandered, e.Hospital)
		return
	}
	dealers := c.Holders
	if c.IsReshare() {
		dealers = s.Holders
	}
	s.endCeremony(Lied, dealers[p.Accused-1])
}

// admitActivate checks that every new holder has confirmed, and has cosigned
// one checkpoint that covers all of the ceremony: no two of them saw two logs.
func (s *State) admitActivate(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	v, err := act.DecodeActivate(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	c, _, r := s.newHolder(e, a, v.Ceremony, logTime)
	switch {
	case r != nil:
		return r
	case !s.AllDealt(c) || !c.AllConfirmed():
		return refuse(CodeActPayload, "not every holder has confirmed")
	}
	sc, err := tlog.ParseSignedCheckpoint(v.Checkpoint)
	if err != nil {
		return refuse(CodeActPayload, "checkpoint: %v", err)
	}
	if sc.Origin != s.OriginAt(sc.Size) || sc.Size < c.Size || sc.Size > s.Tree.Size() {
		return refuse(CodeActPayload, "the checkpoint of %s at %d does not cover the ceremony, which ends at %d of %d", sc.Origin, sc.Size, c.Size, s.Tree.Size())
	}
	for i, number := range c.Holders {
		if err := s.cosigned(number, sc); err != nil {
			return refuse(CodeActPayload, "holder %d: %v", i+1, err)
		}
	}
	return nil
}

// cosigned checks that an institution's voter has cosigned a checkpoint.
func (s *State) cosigned(institution uint32, sc tlog.SignedCheckpoint) error {
	v := s.voterOf(institution)
	if v == nil {
		return refuse(CodeActPayload, "institution %d has no voter", institution)
	}
	key, err := tlog.NewCosignerKey(s.CosignerName(v.ID), v.Cosign.Ed25519(), v.Cosign.MLDSA44().Bytes())
	if err == nil {
		_, err = key.Verify(sc.Checkpoint, sc.Signatures)
	}
	return err
}

func (s *State) acceptActivate() {
	c := s.Ceremony
	record, err := s.Record(c)
	if err != nil {
		return // the ceremony ended with its last deal
	}
	s.OPRF, s.Holders = record, c.Holders
	s.endCeremony(Activated, 0)
}

func (s *State) endCeremony(how Ending, blamed uint32) {
	c := s.Ceremony
	c.Ended, c.Blamed, c.EndedAt = how, blamed, s.Envelopes
	c.Joins, c.Deals, c.Confirmed = nil, nil, nil
}

// admitCanary takes what a holder says that the present holders answer to the
// known input, and refuses another answer than the key's first.
func (s *State) admitCanary(e *envelope.Envelope, a *act.Act) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	k, err := act.DecodeCanary(a.Payload)
	switch {
	case err != nil:
		return refuse(CodeActPayload, "%v", err)
	case !slices.Contains(s.Holders, e.Hospital):
		return refuse(CodeActPayload, "institution %d is no holder", e.Hospital)
	case s.OPRF.Holders == 0 || k.Epoch != s.OPRF.Epoch:
		return refuse(CodeActPayload, "the canary is of epoch %d, the key of %d", k.Epoch, s.OPRF.Epoch)
	case s.Canary.Epoch == k.Epoch:
		return refuse(CodeActPayload, "the canary of epoch %d is known", k.Epoch)
	case s.Canary.Epoch > 0 && s.Canary.Hash != k.Hash:
		return refuse(CodeActPayload, "the key answers otherwise in epoch %d than in epoch %d: pseudonyms would change", k.Epoch, s.Canary.Epoch)
	}
	return nil
}

func (s *State) acceptCanary(a *act.Act) {
	if k, err := act.DecodeCanary(a.Payload); err == nil {
		s.Canary = *k
	}
}
