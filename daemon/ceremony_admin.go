package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

const maxCeremonyBytes = 4096

// keyState answers where the pseudonymisation key and its ceremony stand.
func (s *service) keyState(*http.Request) (admin.Key, error) { return s.keyOf(s.node.View()), nil }

func (s *service) keyOf(view *state.State) admin.Key {
	k := admin.Key{Share: heldShare(s), Canary: view.Canary.Epoch > 0 && view.Canary.Epoch == view.OPRF.Epoch}
	if view.OPRF.Holders != 0 {
		k.ID, k.Epoch, k.Threshold = fmt.Sprintf("%x", view.OPRF.KeyID), view.OPRF.Epoch, view.OPRF.Threshold
		k.Origin = view.OPRF.Origin.String()
	}
	for i, number := range view.Holders {
		k.Holders = append(k.Holders, admin.Holder{Share: uint16(i + 1), Institution: number, Name: memberName(view, number)})
	}
	if view.Ceremony != nil {
		k.Ceremony = s.ceremonyOf(view, view.Ceremony)
	}
	return k
}

// heldShare is the number of the share that this node holds, or 0.
func heldShare(s *service) uint16 {
	if share := s.shares.Shares().Current; share != nil {
		return share.Holder
	}
	return 0
}

func memberName(view *state.State, number uint32) string {
	if m, ok := view.Member(number); ok {
		return nameOf(m)
	}
	return ""
}

func (s *service) ceremonyOf(view *state.State, c *state.Ceremony) *admin.Ceremony {
	out := &admin.Ceremony{
		Number: c.Number, Epoch: c.Epoch, Threshold: c.Threshold,
		Deadline: time.UnixMilli(int64(c.Deadline)).UTC().Format(time.RFC3339), Ended: c.Ended.String(), Blamed: c.Blamed,
	}
	if c.Ended != state.Open {
		out.EndedAt = c.EndedAt
		return out
	}
	if view.OpenCeremony(max(view.LogTime, uint64(time.Now().UnixMilli()))) == nil {
		out.Ended = "void: its deadline has passed"
		return out
	}
	out.Open, out.DealsNeeded = true, view.DealsNeeded(c)
	for i, number := range c.Holders {
		_, dealt := c.Dealt(uint16(i + 1))
		out.Holders = append(out.Holders, admin.CeremonyHolder{
			Holder: admin.Holder{Share: uint16(i + 1), Institution: number, Name: memberName(view, number)},
			Joined: c.HasJoined(uint16(i + 1)), Dealt: dealt && !c.IsReshare(), Confirmed: c.Confirmed[i],
		})
	}
	for _, deal := range c.Deals {
		out.Dealers = append(out.Dealers, deal.Dealer)
	}
	out.Waits = s.waitsFor(view, c)
	return out
}

// waitsFor says what an open ceremony waits for.
func (s *service) waitsFor(view *state.State, c *state.Ceremony) string {
	switch {
	case !c.AllJoined():
		return "for every new holder's daemon to join"
	case !view.AllDealt(c) && c.IsReshare():
		own := view.Dealer(c, s.self.Institution)
		if _, dealt := c.Dealt(own); own != 0 && !dealt {
			return "for old holders to contribute, this one too: raresync ceremony contribute"
		}
		return "for old holders to contribute"
	case !view.AllDealt(c):
		return "for every holder's daemon to deal"
	case !c.AllConfirmed():
		return "for every new holder's daemon to confirm"
	}
	return "for a checkpoint that every new holder has cosigned"
}

// startCeremony opens the founders' ceremony.
func (s *service) startCeremony(r *http.Request) (admin.Key, error) {
	var in admin.CeremonyStart
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxCeremonyBytes)).Decode(&in); err != nil {
		return admin.Key{}, fmt.Errorf("%w: not readable", errInvalid)
	}
	within := time.Duration(in.Seconds) * time.Second
	if within < 2*time.Duration(act.MinCeremonyTime)*time.Millisecond || within > act.MaxCeremonyTime*time.Millisecond/2 {
		return admin.Key{}, fmt.Errorf("%w: a ceremony lasts 2 minutes to 15 days", errInvalid)
	}
	before := s.node.View().Envelopes
	if err := s.ceremony.Start(r.Context(), within); err != nil {
		return admin.Key{}, unposted("start the ceremony", err)
	}
	return s.keyOnce(r, func(v *state.State) bool { return v.Ceremony != nil && v.Ceremony.Number >= before })
}

// keyOnce answers as keyState does once this node's copy shows what was posted.
func (s *service) keyOnce(r *http.Request, shows func(*state.State) bool) (admin.Key, error) {
	view, err := s.node.Wait(r.Context(), shows)
	if err != nil {
		return admin.Key{}, fmt.Errorf("it is in the log, and this node is behind: %w", err)
	}
	return s.keyOf(view), nil
}

// contribute deals this old holder's share in a reshare.
func (s *service) contribute(r *http.Request) (admin.Key, error) {
	if err := s.ceremony.Contribute(r.Context()); err != nil {
		return admin.Key{}, unposted("contribute", err)
	}
	return s.keyOnce(r, func(v *state.State) bool {
		if v.Ceremony == nil || v.Ceremony.Ended != state.Open {
			return true
		}
		_, dealt := v.Ceremony.Dealt(v.Dealer(v.Ceremony, s.self.Institution))
		return dealt
	})
}

// ceremonyWarnings are what an operator should know without asking.
func (s *service) ceremonyWarnings(view *state.State) []string {
	if view.OPRF.Holders == 0 && view.OpenCeremony(view.LogTime) == nil {
		return []string{fmt.Sprintf("the network has no pseudonymisation key yet: %d holders make it once one of them runs raresync ceremony start", len(view.Holders))}
	}
	if share := s.shares.Shares().Current; share != nil && keyshare.CheckShare(view.OPRF, *share) != nil && share.Epoch >= view.OPRF.Epoch {
		return []string{"this node's share of the pseudonymisation key is not the one that the log counts on"}
	}
	return nil
}
