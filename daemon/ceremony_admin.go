package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/ceremony"
	"github.com/raresync/raresync/registry/act"
)

const maxCeremonyBytes = 4096

// What an open ceremony waits for.
const (
	stageJoin, stageDeal, stageContribute = "join", "deal", "contribute"
	stageConfirm, stageCheckpoint         = "confirm", "checkpoint"
)

// keyState answers where the pseudonymisation key and its ceremony stand. A copy
// that has yet to catch up does not say that there is no key.
func (s *service) keyState(*http.Request) (admin.Key, error) {
	view := s.node.View()
	if view.OPRF.Holders == 0 && view.Ceremony == nil {
		if err := s.behind(); err != nil {
			return admin.Key{}, err
		}
	}
	return s.keyOf(view), nil
}

func (s *service) keyOf(view *state.State) admin.Key {
	k := admin.Key{Share: admin.ShareNumber(heldShare(s)), Canary: view.Canary.Epoch > 0 && view.Canary.Epoch == view.OPRF.Epoch}
	if view.OPRF.Holders != 0 {
		k.ID, k.Epoch, k.Threshold = fmt.Sprintf("%x", view.OPRF.KeyID), view.OPRF.Epoch, view.OPRF.Threshold
		k.Origin = view.OPRF.Origin.String()
	}
	here := s.connected(view)
	for i, number := range view.Holders {
		k.Holders = append(k.Holders, holderOf(view, here, uint16(i+1), number))
	}
	if view.Ceremony != nil {
		k.Ceremony = s.ceremonyOf(view, view.Ceremony)
	}
	return k
}

func holderOf(view *state.State, here map[uint32]bool, share uint16, number uint32) admin.Holder {
	return admin.Holder{Share: share, Institution: number, Name: memberName(view, number), Connected: here[number]}
}

// connected lists the institutions of the nodes that this one has a session
// with, and its own.
func (s *service) connected(view *state.State) map[uint32]bool {
	here := map[uint32]bool{s.self.Institution: true}
	for _, p := range s.mesh.Connected() {
		if n, ok := view.Node(p.Node); ok {
			here[n.Institution] = true
		}
	}
	return here
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
	if view.OpenCeremony(max(view.LogTime, uint64(s.clock().UnixMilli()))) == nil {
		out.Ended = "void: its deadline has passed"
		return out
	}
	out.Open, out.DealsNeeded = true, view.DealsNeeded(c)
	here := s.connected(view)
	for i, number := range c.Holders {
		_, dealt := c.Dealt(uint16(i + 1))
		out.Holders = append(out.Holders, admin.CeremonyHolder{
			Holder: holderOf(view, here, uint16(i+1), number),
			Joined: c.HasJoined(uint16(i + 1)), Dealt: dealt && !c.IsReshare(), Confirmed: c.Confirmed[i],
		})
	}
	for _, deal := range c.Deals {
		out.Dealers = append(out.Dealers, deal.Dealer)
	}
	out.Stage, out.Waits = waitsFor(view, c)
	out.Missing = missing(view, c, out)
	for i, h := range out.Missing {
		out.Waits += map[bool]string{true: ": ", false: ", "}[i == 0] + fmt.Sprintf("%s (%d)", h.Name, h.Institution)
	}
	return out
}

// missing lists whom an open ceremony waits for.
func missing(view *state.State, c *state.Ceremony, now *admin.Ceremony) (out []admin.Holder) {
	if now.Stage == stageContribute {
		for i, number := range view.Holders {
			if _, dealt := c.Dealt(uint16(i + 1)); !dealt {
				out = append(out, admin.Holder{Share: uint16(i + 1), Institution: number, Name: memberName(view, number)})
			}
		}
		return out
	}
	for _, h := range now.Holders {
		if done, waits := map[string]bool{stageJoin: h.Joined, stageDeal: h.Dealt, stageConfirm: h.Confirmed}[now.Stage]; waits && !done {
			out = append(out, h.Holder)
		}
	}
	return out
}

// waitsFor says what an open ceremony waits for.
func waitsFor(view *state.State, c *state.Ceremony) (stage, says string) {
	switch {
	case !c.AllJoined():
		return stageJoin, "for every new holder's daemon to join"
	case !view.AllDealt(c) && c.IsReshare():
		return stageContribute, fmt.Sprintf("for %d more old holders to contribute, each with raresync ceremony contribute", view.DealsNeeded(c)-len(c.Deals))
	case !view.AllDealt(c):
		return stageDeal, "for every holder's daemon to deal"
	case !c.AllConfirmed():
		return stageConfirm, "for every new holder's daemon to confirm"
	}
	return stageCheckpoint, "for a checkpoint that every new holder has cosigned"
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
	if err := s.maySign(); err != nil {
		return admin.Key{}, fmt.Errorf("start the ceremony: %w", err)
	}
	view := s.node.View()
	if !slices.Contains(view.Holders, s.self.Institution) {
		var names []string
		for _, number := range view.Holders {
			names = append(names, memberWithNumber(view, number))
		}
		return admin.Key{}, fmt.Errorf("start the ceremony: %w: one of the holders starts it, %s", ceremony.ErrNotHolder, strings.Join(names, ", "))
	}
	before := view.Envelopes
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
	if err := s.maySign(); err != nil {
		return admin.Key{}, fmt.Errorf("contribute: %w", err)
	}
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
func (s *service) ceremonyWarnings(view *state.State) []warning {
	if view.OPRF.Holders == 0 && view.OpenCeremony(view.LogTime) == nil {
		return []warning{warn("the network has no pseudonymisation key yet: %d holders make it once one of them runs raresync ceremony start",
			"网络尚无假名密钥：其中一个持有方运行 raresync ceremony start 后，由 %d 个持有方共同生成", len(view.Holders))}
	}
	if share := s.shares.Shares().Current; share != nil && keyshare.CheckShare(view.OPRF, *share) != nil && share.Epoch >= view.OPRF.Epoch {
		return []warning{warn("this node's share of the pseudonymisation key is not the one that the log counts on", "本节点的假名密钥份额与日志所载不符")}
	}
	return nil
}
