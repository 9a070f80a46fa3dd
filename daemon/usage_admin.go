package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/registry/act"
)

// listUsages lists what share holders have posted of this institution's use, as
// long as the log's state keeps it.
func (s *service) listUsages(*http.Request) ([]admin.Usage, error) {
	view := s.node.View()
	over := map[[2]uint32]bool{}
	for _, e := range s.quotas.asked.Excess(view.Usages, s.self.Institution) {
		over[[2]uint32{e.Holder, e.Week}] = true
	}
	out := []admin.Usage{}
	for i := range view.Usages {
		u := &view.Usages[i]
		if bucket := u.Of(s.self.Institution); bucket != 0 {
			out = append(out, admin.Usage{
				Week: u.Week, Holder: u.Holder, Envelope: u.Envelope, AtLeast: act.UsageAtLeast(bucket),
				Below: act.UsageAtLeast(bucket + 1), TooMuch: over[[2]uint32{u.Holder, u.Week}],
			})
		}
	}
	return out, nil
}

// showRequests proves, at a share holder, every request of a hospital that it
// counted in a week.
func (s *service) showRequests(r *http.Request) (admin.ShownRequests, error) {
	week, werr := strconv.ParseUint(r.PathValue("week"), 10, 32)
	hospital, herr := strconv.ParseUint(r.PathValue("hospital"), 10, 32)
	if werr != nil || herr != nil {
		return admin.ShownRequests{}, fmt.Errorf("%w: a week and a hospital are numbers", errInvalid)
	}
	if s.quotas.book == nil {
		return admin.ShownRequests{}, fmt.Errorf("%w: this node counts no evaluations", quota.ErrNotKept)
	}
	proofs, err := s.quotas.book.Prove(uint32(week), uint32(hospital))
	if err != nil {
		return admin.ShownRequests{}, err
	}
	out := admin.ShownRequests{
		Network: fmt.Sprintf("%x", s.node.View().Network), Holder: s.self.Institution, Week: uint32(week), Hospital: uint32(hospital),
		Requests: make([]admin.ShownRequest, len(proofs)),
	}
	for i, p := range proofs {
		one := admin.ShownRequest{Leaf: p.Leaf, Index: p.Index, Size: p.Size}
		for _, h := range p.Hashes {
			one.Path = append(one.Path, h[:])
		}
		out.Requests[i] = one
	}
	return out, nil
}

// checkRequests compares what a holder shows with what it has posted.
func (s *service) checkRequests(r *http.Request) (admin.CheckedRequests, error) {
	var in admin.ShownRequests
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, admin.MaxShownBytes)).Decode(&in); err != nil {
		return admin.CheckedRequests{}, fmt.Errorf("%w: the file is none of raresync audit requests: %w", errInvalid, err)
	}
	view := s.node.View()
	member, known := view.Member(in.Hospital)
	if in.Network != fmt.Sprintf("%x", view.Network) || !known {
		return admin.CheckedRequests{}, fmt.Errorf("%w: the file is of another network", errInvalid)
	}
	posted := postedUsage(view, in.Holder, in.Week)
	if posted == nil {
		return admin.CheckedRequests{}, fmt.Errorf("%w: the log keeps no usage of holder %d for week %d", errInvalid, in.Holder, in.Week)
	}
	shown := quota.Shown{Week: in.Week, Hospital: in.Hospital}
	for _, one := range in.Requests {
		p := quota.Proof{Leaf: one.Leaf, Index: one.Index, Size: one.Size}
		for _, h := range one.Path {
			if len(h) != len(tlog.Hash{}) {
				return admin.CheckedRequests{}, fmt.Errorf("%w: a hash of %d bytes", errInvalid, len(h))
			}
			p.Hashes = append(p.Hashes, tlog.Hash(h))
		}
		shown.Proofs = append(shown.Proofs, p)
	}
	keys, err := s.requestKeys(view, in.Hospital, member)
	if err != nil {
		return admin.CheckedRequests{}, err
	}
	elements, err := shown.Check(&posted.Usage, keys...)
	out := admin.CheckedRequests{
		Holder: in.Holder, Week: in.Week, Hospital: in.Hospital, Requests: len(in.Requests), Elements: elements,
		AtLeast: act.UsageAtLeast(posted.Of(in.Hospital)), Holds: err == nil,
	}
	if err != nil {
		out.Fault = err.Error()
	}
	return out, nil
}

// requestKeys returns an institution's request key, and those before it that were
// not revoked: the week may have begun with one of them. The roster keeps no more
// of them than their ids, so they are looked for in the acts that brought them.
func (s *service) requestKeys(view *state.State, number uint32, m *state.Member) ([]*sign.PublicKey, error) {
	keys := []*sign.PublicKey{m.Request}
	if len(m.Former) == 0 {
		return keys, nil
	}
	for n := range view.Envelopes {
		meta, err := s.node.Machine().Meta(n)
		if err != nil {
			return nil, err
		}
		if meta.Count != 1 {
			continue // no act
		}
		leaf, err := s.leaf(meta.First)
		if err != nil {
			return nil, err
		}
		if leaf.Kind != "act" {
			continue
		}
		a, _, err := s.actIn(n)
		if err != nil {
			return nil, err
		}
		if key := requestKeyOf(a, number); key != nil && key.ID() != m.Request.ID() && !view.Revoked(key.ID()) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// requestKeyOf returns the request key that an act brings an institution, or nil.
func requestKeyOf(a *act.Act, number uint32) *sign.PublicKey {
	switch a.Type {
	case act.TypeGenesis:
		if g, err := act.DecodeGenesis(a.Payload); err == nil && int(number) <= len(g.Institutions) {
			return g.Institutions[number-1].Request
		}
	case act.TypeAdmission:
		if d, err := act.DecodeAdmission(a.Payload); err == nil && len(d.Nodes) > 0 && d.Nodes[0].Institution == number {
			return d.Institution.Request
		}
	case act.TypeRotation, act.TypeReplace:
		if d, err := act.DecodeRotation(a.Payload); err == nil && d.Institution == number {
			return d.Request
		}
	}
	return nil
}

func postedUsage(view *state.State, holder, week uint32) *state.Usage {
	for i := range view.Usages {
		if u := &view.Usages[i]; u.Holder == holder && u.Week == week {
			return u
		}
	}
	return nil
}
