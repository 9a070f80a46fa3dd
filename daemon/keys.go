package daemon

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

// maxSealingAge is how old a reader's sealing key may get before the operator is
// told: a quarter, and some days to act.
const maxSealingAge = 100 * 24 * time.Hour

// envelopeKey is the key that signs this institution's envelopes at a state.
func (s *service) envelopeKey(view *state.State) *sign.PrivateKey {
	if m, ok := view.Member(s.self.Institution); ok {
		return s.ring.Sign(sign.PurposeEnvelope, m.Envelope.ID())
	}
	return s.ring.Keys().Envelope
}

// otherTLS is the TLS key to show to a peer that does not know the present one:
// the next one while its rotation is under way, else the one before.
func otherTLS(k *home.Keys) ed25519.PrivateKey {
	switch {
	case k.Next.TLS != nil && k.Next.Rotation != nil:
		return k.Next.TLS.Ed25519()
	case k.FormerTLS != nil:
		return k.FormerTLS.Ed25519()
	}
	return nil
}

func (s *service) showTLS() error {
	k := s.ring.Keys()
	return s.mesh.SetKeys(k.TLS.Ed25519(), otherTLS(k))
}

// inForce returns the keys of this node's institution as a state has them.
func (s *service) inForce(view *state.State) (home.InForce, bool) {
	m, ok := view.Member(s.self.Institution)
	node, known := view.Node(s.self.ID)
	if !ok || !known {
		return home.InForce{}, false
	}
	return home.InForce{
		Envelope: m.Envelope.ID(), Request: m.Request.ID(), Response: m.Response.ID(),
		TLS: node.TLS.ID(), Sealing: m.Institution.Sealing.ID(),
	}, true
}

// settleKeys makes the next keys that a state has in force the present ones.
func (s *service) settleKeys(view *state.State) error {
	f, ok := s.inForce(view)
	if !ok {
		return nil
	}
	changed, err := s.ring.Settle(f)
	if err != nil || !changed {
		return err
	}
	s.log.Info("new keys are in force", "roster", view.RosterVersion)
	return s.showTLS()
}

// farewell is how long a node that was removed keeps its sessions.
const farewell = time.Second

// pause waits, or reports false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// watchRoster follows the roster: it settles this node's keys, dials whoever has
// become a voter, and ends sessions with keys that are no longer their node's, or
// whose node was removed. It ends with the context.
func (s *service) watchRoster(ctx context.Context) error {
	gone := len(s.node.View().Gone)
	for view := s.node.View(); ; {
		if err := s.settleKeys(view); err != nil {
			return err
		}
		s.mesh.SetPeers(s.targets(view))
		if len(view.Gone) > gone { // who leaves hears the answer to its own act
			gone = len(view.Gone)
			if !pause(ctx, farewell) {
				return nil
			}
		}
		s.mesh.Refresh()
		var err error
		seen := view.Changes()
		if view, err = s.node.Wait(ctx, func(v *state.State) bool { return v.Changes() != seen }); err != nil {
			return nil
		}
	}
}

// rotation returns the payload that brings the next keys that are chosen, which
// the key file has before anybody else; or that of the act which may have been
// posted before a crash, whatever it brings.
func (s *service) rotation(c home.Choice) ([]byte, error) {
	all := s.ring.Keys().Next
	if all.Rotation != nil {
		return all.Rotation, nil
	}
	next := all.Of(c)
	switch {
	case !all.Any():
		return nil, fmt.Errorf("%w: there are no next keys; make them with raresync key generate", home.ErrKeyring)
	case !next.Any():
		return nil, fmt.Errorf("%w: there is no next key of those that are chosen; make them with raresync key generate", home.ErrKeyring)
	}
	r := RotationOf(&next, s.self.Institution, s.self.ID)
	if next.Envelope != nil {
		if err := r.Prove(s.node.View().Network, next.Envelope); err != nil {
			return nil, err
		}
	}
	payload := r.Marshal()
	if err := s.ring.Posting(payload); err != nil {
		return nil, err
	}
	return payload, s.showTLS()
}

// RotationOf returns the rotation that brings an institution's next keys, and
// the TLS key of one of its nodes, without a proof of possession.
func RotationOf(next *home.Next, institution uint32, node string) *act.Rotation {
	r := &act.Rotation{Institution: institution}
	for _, one := range []struct {
		from *sign.PrivateKey
		to   **sign.PublicKey
	}{{next.Envelope, &r.Envelope}, {next.Request, &r.Request}, {next.Response, &r.Response}} {
		if one.from != nil {
			*one.to = one.from.Public()
		}
	}
	if next.Sealing != nil {
		r.Sealing = next.Sealing.Public()
	}
	if next.TLS != nil {
		r.Nodes = []act.NodeKey{{ID: node, TLS: next.TLS.Public()}}
	}
	return r
}

// rotate posts the next keys that are chosen and waits until they are in force.
// A rotation that was cut short comes first.
func (s *service) rotate(ctx context.Context, c home.Choice) error {
	underWay := s.ring.Keys().Next.Rotation != nil
	if err := s.rotateOnce(ctx, c); err != nil || !underWay {
		return err
	}
	all := s.ring.Keys().Next
	if left := all.Of(c); !left.Any() {
		return nil
	}
	return s.rotateOnce(ctx, c)
}

func (s *service) rotateOnce(ctx context.Context, c home.Choice) error {
	if err := s.maySign(); err != nil {
		return fmt.Errorf("rotate: %w", err)
	}
	payload, err := s.rotation(c)
	if err != nil {
		return err
	}
	err = s.postAct(ctx, act.Act{Version: act.Version, Type: act.TypeRotation, Payload: payload})
	var refusal *state.Refusal
	if errors.As(err, &refusal) {
		return errors.Join(unposted("rotate", err), s.ring.Refused())
	}
	if err != nil {
		return fmt.Errorf("rotate: the keys are safe, and the act is on its way: %w", err)
	}
	d, err := act.DecodeRotation(payload)
	if err != nil {
		return err
	}
	view, err := s.node.Wait(ctx, func(v *state.State) bool { return hasKeys(v, d) })
	if err != nil {
		return err
	}
	return s.settleKeys(view)
}

// hasKeys reports whether a state has had the keys of a rotation in force.
func hasKeys(view *state.State, d *act.Rotation) bool {
	for _, id := range d.KeyIDs() {
		if !view.HasKey(d.Institution, id) {
			return false
		}
	}
	return true
}

// keyWarnings are what an operator should know of the keys without asking.
func (s *service) keyWarnings(view *state.State) (out []warning) {
	if _, known := s.inForce(view); !known {
		return nil
	}
	k := s.ring.Keys()
	if k.Next.Any() {
		out = append(out, warn("next keys lie in the key file and are not in force: raresync key rotate", "密钥文件中有待用的密钥尚未生效：raresync key rotate"))
	}
	m, _ := view.Member(s.self.Institution)
	out = append(out, revokedWarnings(view, m)...)
	if state.SealRights(m.Rights).Clinical {
		out = append(out, s.sealingWarnings(view, m)...)
	}
	return out
}

// revokedWarnings tells of present keys with which nobody is asked or answered
// any more.
func revokedWarnings(view *state.State, m *state.Member) (out []warning) {
	if view.Revoked(m.Request.ID()) {
		out = append(out, warn("this institution's request key was revoked, so no holder answers it: raresync key rotate --request",
			"本机构的求值请求密钥已被吊销，持有方不再应答：raresync key rotate --request"))
	}
	if view.Revoked(m.Response.ID()) {
		out = append(out, warn("this institution's response key was revoked, so nobody takes its answers: raresync key rotate --response",
			"本机构的求值应答密钥已被吊销，其应答不被接受：raresync key rotate --response"))
	}
	return out
}

// sealingWarnings tells of a reader's sealing key that has got old. A network in
// which nothing is secret need not hear of it.
func (s *service) sealingWarnings(view *state.State, m *state.Member) (out []warning) {
	since, err := s.logTimeOf(m.Sealing[len(m.Sealing)-1].From)
	if err != nil {
		return nil // not a copy yet
	}
	if age := time.Duration(view.LogTime-min(since, view.LogTime)) * time.Millisecond; age > maxSealingAge {
		out = append(out, warn("this reader's sealing key is %d days old: raresync key generate --sealing, then raresync key rotate",
			"本读取方的密封密钥已使用 %d 天：请运行 raresync key generate --sealing，再运行 raresync key rotate", int(age.Hours()/24)))
	}
	if n := len(s.ring.Keys().Former); n > 0 {
		out = append(out, warn("%d former sealing keys of this reader are on this node: take them offline with raresync key protect --custody",
			"本节点上有 %d 个本读取方以前的密封密钥：请用 raresync key protect --custody 离线保管", n))
	}
	return out
}

// logTimeOf returns the log time of an envelope, or of the newest before it.
func (s *service) logTimeOf(number uint64) (uint64, error) {
	if last := s.node.View().Envelopes; number >= last {
		number = last - 1
	}
	_, logTime, err := s.node.Machine().Envelope(number)
	return logTime, err
}
