package state

import (
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Ceremony is the newest key ceremony. While it is open the state keeps all of
// it; afterwards, how it ended.
type Ceremony struct {
	Number    uint64 // envelope number of the act that opened it
	Epoch     uint32
	Threshold uint16
	Holders   []uint32 // new holders: institution of share 1, 2, ...
	Deadline  uint64   // log time in ms

	Joins     []Joined        // one for each new holder
	Deals     []keyshare.Deal // ascending by dealer
	Confirmed []bool          // by each new holder
	Size      uint64          // of the tree with the newest act of the ceremony

	Ended   Ending
	Blamed  uint32 // institution whose act or deal ended it; 0 if nobody's
	EndedAt uint64 // envelope number of the act that ended it
}

// Joined is a new holder's part in a ceremony.
type Joined struct {
	Keys   [][keyshare.CeremonyPublicBytes]byte // one for each dealer; none: it has not joined
	Commit [32]byte
}

// Ending says how a ceremony ended.
type Ending uint8

// The endings of a ceremony.
const (
	Open      Ending = 0 // it has not ended, unless its deadline has passed
	Activated Ending = 1 // what it made is in force
	Lied      Ending = 2 // a dealer's deal was false, with evidence on the log
	Slandered Ending = 3 // a complaint was false, with evidence on the log
	GivenUp   Ending = 4 // a holder lost its secrets, or the deals made no key
)

// String names the ending for people.
func (e Ending) String() string {
	switch e {
	case Open:
		return "open"
	case Activated:
		return "in force"
	case Lied:
		return "void: a dealer dealt a false share"
	case Slandered:
		return "void: a complaint was false"
	case GivenUp:
		return "void: a holder gave up"
	}
	return fmt.Sprintf("ending %d", uint8(e))
}

// IsReshare tells a ceremony that moves the key from one that makes it.
func (c *Ceremony) IsReshare() bool { return c.Epoch > 1 }

// Share returns an institution's number among the new holders, from 1, or 0.
func (c *Ceremony) Share(institution uint32) uint16 {
	return uint16(slices.Index(c.Holders, institution) + 1)
}

// HasJoined reports whether a new holder has joined.
func (c *Ceremony) HasJoined(share uint16) bool { return len(c.Joins[share-1].Keys) > 0 }

// AllJoined reports whether every new holder has joined.
func (c *Ceremony) AllJoined() bool {
	return !slices.ContainsFunc(c.Joins, func(j Joined) bool { return len(j.Keys) == 0 })
}

// AllConfirmed reports whether every new holder has its share.
func (c *Ceremony) AllConfirmed() bool { return !slices.Contains(c.Confirmed, false) }

// Dealt returns the deal of a dealer, if it is there.
func (c *Ceremony) Dealt(dealer uint16) (keyshare.Deal, bool) {
	i := slices.IndexFunc(c.Deals, func(d keyshare.Deal) bool { return d.Dealer == dealer })
	if i < 0 {
		return keyshare.Deal{}, false
	}
	return c.Deals[i], true
}

// KeysFor returns the keys to which a dealer seals, in order of the new holders.
// All have joined.
func (c *Ceremony) KeysFor(dealer uint16) [][keyshare.CeremonyPublicBytes]byte {
	out := make([][keyshare.CeremonyPublicBytes]byte, len(c.Joins))
	for i := range c.Joins {
		out[i] = c.Joins[i].Keys[dealer-1]
	}
	return out
}

// OpenCeremony returns the ceremony under way at a log time, or nil.
func (s *State) OpenCeremony(logTime uint64) *Ceremony {
	if s.Ceremony == nil || s.Ceremony.Ended != Open || s.Ceremony.Deadline <= logTime {
		return nil
	}
	return s.Ceremony
}

// WantsEveryCosignature reports that a ceremony waits for nothing but a
// checkpoint that all its holders have cosigned.
func (s *State) WantsEveryCosignature() bool {
	c := s.OpenCeremony(s.LogTime)
	return c != nil && s.AllDealt(c) && c.AllConfirmed()
}

// Run is the ceremony as package keyshare binds everything to it.
func (s *State) Run(c *Ceremony) keyshare.Run {
	origin, dealers := keyshare.DKG, len(c.Holders)
	if c.IsReshare() {
		origin, dealers = s.OPRF.Origin, len(s.Holders)
	}
	return keyshare.Run{
		Network: s.Network, Number: c.Number, Origin: origin, Epoch: c.Epoch,
		Threshold: c.Threshold, Holders: uint16(len(c.Holders)), Dealers: uint16(dealers),
	}
}

// DealsNeeded returns how many deals a ceremony takes: of all, for a new key,
// and of as many old holders as are needed for the key, in a reshare.
func (s *State) DealsNeeded(c *Ceremony) int {
	if c.IsReshare() {
		return int(s.OPRF.Threshold)
	}
	return len(c.Holders)
}

// AllDealt reports whether a ceremony has the deals that it takes.
func (s *State) AllDealt(c *Ceremony) bool { return len(c.Deals) == s.DealsNeeded(c) }

// Dealer returns an institution's number among the dealers, from 1, or 0: the
// new holders make a key, and the old ones move it.
func (s *State) Dealer(c *Ceremony, institution uint32) uint16 {
	if c.IsReshare() {
		return uint16(slices.Index(s.Holders, institution) + 1)
	}
	return c.Share(institution)
}

// Transcript returns the hash of the run that its holders confirm.
func (s *State) Transcript(c *Ceremony) [32]byte {
	keys := make([][][keyshare.CeremonyPublicBytes]byte, len(c.Joins))
	var commits [][32]byte
	for i, j := range c.Joins {
		keys[i] = j.Keys
		if !c.IsReshare() {
			commits = append(commits, j.Commit)
		}
	}
	return keyshare.Transcript(s.Run(c), keys, commits, c.Deals)
}

// Record returns the key record that a ceremony's deals make.
func (s *State) Record(c *Ceremony) (keyshare.Record, error) {
	if c.IsReshare() {
		return keyshare.RecordOfReshare(s.Run(c), s.OPRF, c.Deals)
	}
	return keyshare.RecordOfDKG(s.Run(c), c.Deals)
}

// admitCeremony checks that a ceremony may open: none is under way, it makes
// the next epoch, and its holders may hold shares. The founders' own key needs
// no more approval than the genesis has; a reshare needs q.
func (s *State) admitCeremony(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	c, r := s.readCeremony(a, logTime)
	if r != nil {
		return r
	}
	if c.Epoch > 1 {
		if r := s.approved(a, logTime); r != nil {
			return r
		}
		return s.admitHolders(c)
	}
	if r := unapproved(a); r != nil {
		return r
	}
	switch {
	case !slices.Equal(c.Holders, s.Holders) || int(c.Threshold) != keyshare.Threshold(len(s.Holders)):
		return refuse(CodeActPayload, "the genesis names the first holders, and a majority of them is needed")
	case !slices.Contains(s.Holders, e.Hospital):
		return refuse(CodeActPayload, "institution %d is no holder: one of them opens it", e.Hospital)
	}
	return nil
}

// admitReshare is admitCeremony for a reshare without its approvals.
func (s *State) admitReshare(a *act.Act, logTime uint64) *Refusal {
	c, r := s.readCeremony(a, logTime)
	if r != nil {
		return r
	}
	if c.Epoch == 1 {
		return refuse(CodeActPayload, "the founders' holders make the first key: nobody approves it")
	}
	return s.admitHolders(c)
}

// readCeremony reads a ceremony that may open as far as epoch and time go.
func (s *State) readCeremony(a *act.Act, logTime uint64) (*act.Ceremony, *Refusal) {
	c, err := act.DecodeCeremony(a.Payload)
	if err != nil {
		return nil, refuse(CodeActPayload, "%v", err)
	}
	switch {
	case s.OpenCeremony(logTime) != nil:
		return nil, refuse(CodeActPayload, "ceremony %d is under way until it ends or its deadline passes", s.Ceremony.Number)
	case c.Epoch != s.OPRF.Epoch+1:
		return nil, refuse(CodeActPayload, "the next epoch is %d, not %d", s.OPRF.Epoch+1, c.Epoch)
	case c.Deadline < logTime+act.MinCeremonyTime || c.Deadline > logTime+act.MaxCeremonyTime:
		return nil, refuse(CodeActPayload, "a ceremony lasts a minute to 30 days")
	}
	return c, nil
}

// admitHolders checks the holders of a reshare: distinct institutions with a
// voter, none of them a national reader, and enough of them needed.
func (s *State) admitHolders(c *act.Ceremony) *Refusal {
	n, t := len(c.Holders), int(c.Threshold)
	switch {
	case n == 0 || t < keyshare.Threshold(n) || t > n:
		return refuse(CodeActPayload, "%d of %d shares needed, want a majority at least", t, n)
	case !s.Demo && n < 2:
		return refuse(CodeActPayload, "a key that one institution holds is for demo networks only")
	}
	entities := map[string]bool{}
	for i := range s.Members {
		if s.Members[i].Rights.Has(act.RightNational) {
			entities[s.Members[i].Entity] = true
		}
	}
	for _, number := range c.Holders {
		m, ok := s.Member(number)
		switch {
		case !ok || m.Role != act.RoleHospital:
			return refuse(CodeActPayload, "institution %d is no hospital", number)
		case s.voterOf(number) == nil:
			return refuse(CodeActPayload, "holder %d has no voter, which has to cosign what it confirms", number)
		case entities[m.Entity]:
			return refuse(CodeActPayload, "holder %d is a national reader, or its entity holds two shares", number)
		}
		entities[m.Entity] = true
	}
	return nil
}

// voterOf returns an institution's first voter.
func (s *State) voterOf(institution uint32) *act.Node {
	for i := range s.Nodes {
		if s.Nodes[i].Institution == institution && s.Nodes[i].Kind == act.Voter {
			return &s.Nodes[i]
		}
	}
	return nil
}

// VoterOf returns the id of an institution's first voter.
func (s *State) VoterOf(institution uint32) (string, bool) {
	if v := s.voterOf(institution); v != nil {
		return v.ID, true
	}
	return "", false
}

func (s *State) acceptCeremony(a *act.Act) {
	c, err := act.DecodeCeremony(a.Payload)
	if err != nil {
		return // not admitted
	}
	s.Ceremony = &Ceremony{
		Number: s.Envelopes, Epoch: c.Epoch, Threshold: c.Threshold, Holders: c.Holders, Deadline: c.Deadline,
		Joins: make([]Joined, len(c.Holders)), Confirmed: make([]bool, len(c.Holders)), Size: s.Tree.Size(),
	}
}

// clone returns a copy that later acts do not reach. Deals do not change.
func (c *Ceremony) clone() *Ceremony {
	if c == nil {
		return nil
	}
	d := *c
	d.Joins, d.Deals, d.Confirmed = slices.Clone(c.Joins), slices.Clone(c.Deals), slices.Clone(c.Confirmed)
	return &d
}
