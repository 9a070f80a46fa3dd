package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

// Why nothing that this node signs is taken by the network.
var (
	errOtherKey = errors.New("the log knows this institution by another envelope key than this node has, so nothing that it signs is taken: raresync key list --all")
	errOutcast  = errors.New("the other nodes refuse this node's TLS key, so nothing that it signs arrives: its institution's keys were replaced by act, or the node has left the roster")
	errRevoked  = errors.New("this institution's envelope key was revoked: the lead hospitals have to approve a replacement")
)

// unsignedZH says the same in Chinese.
var unsignedZH = map[error]string{
	errOtherKey: "日志中本机构的信封签名密钥不是本节点所持的密钥，本节点的签名均不被接受：raresync key list --all",
	errOutcast:  "其他节点拒绝本节点的 TLS 密钥，本节点的签名无法送达：本机构的密钥已按公告更换，或节点已退出名册",
	errRevoked:  "本机构的信封签名密钥已被吊销：须由牵头医院赞同更换",
}

// maySign reports, before anything is signed and waited for, that the log does
// not take this node's signatures, or that no node lets this one in any more,
// which then cannot know why.
func (s *service) maySign() error {
	if err := s.replaced(); err != nil {
		return err
	}
	if len(s.mesh.Connected()) == 0 && len(s.mesh.RefusedBy()) > 0 {
		return errOutcast
	}
	return nil
}

// replaced reports that the log has this institution by an envelope key that is
// not here, or was revoked. A node that is not ready, or that the log does not
// know yet, has no reason to think so: the log may have it by keys that its copy
// does not show.
func (s *service) replaced() error {
	if !s.node.Status().Ready {
		return nil
	}
	view := s.node.View()
	f, ok := s.inForce(view)
	switch {
	case !ok:
		return nil
	case s.ring.Sign(sign.PurposeEnvelope, f.Envelope).Public().ID() != f.Envelope:
		return errOtherKey
	case view.Revoked(f.Envelope):
		return errRevoked
	}
	return nil
}

// keyLook is how often a wait for an act looks whether this node's key still
// holds.
const keyLook = 200 * time.Millisecond

// postAct posts an act as [outbox.Outbox.PostAct] does, and does not wait for
// what cannot come: it ends with errOtherKey or errRevoked soon after this
// node's copy shows that its key holds no longer, and begins only if maySign
// allows it.
func (s *service) postAct(ctx context.Context, a act.Act) error {
	if err := s.maySign(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		tick := time.NewTicker(keyLook)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := s.replaced(); err != nil {
				cancel(err)
				return
			}
		}
	}()
	err := s.outbox.PostAct(ctx, a)
	if cause := context.Cause(ctx); err != nil && errors.Is(err, context.Canceled) && cause != nil && !errors.Is(cause, context.Canceled) {
		return fmt.Errorf("the act stays in the outbox: %w", cause)
	}
	return err
}
