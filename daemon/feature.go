package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

const (
	supportTick  = time.Second     // between two looks whether this node is to say what its build supports
	supportRetry = 5 * time.Second // after what it said did not get into the log
)

// runSupport says on the log which feature level this build supports, once that
// matters, until the context ends. See [state.State.SupportDue].
func (s *service) runSupport(ctx context.Context) {
	for wait := supportTick; ; wait = s.saySupport(ctx) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// saySupport says it if it is due, and returns how long to wait then.
func (s *service) saySupport(ctx context.Context) time.Duration {
	view, now := s.now()
	if !view.SupportDue(s.self.ID, act.SupportedLevel, now) || s.behind() != nil {
		return supportTick
	}
	d := act.Support{Node: s.self.ID, Level: act.SupportedLevel}
	if err := s.postAct(ctx, act.Act{Version: act.Version, Type: act.TypeSupport, Payload: d.Marshal()}); err != nil {
		if ctx.Err() == nil {
			s.log.Warn("not said yet which feature level this build supports", "level", act.SupportedLevel, "reason", err.Error())
		}
		return supportRetry
	}
	s.log.Info("said which feature level this build supports", "level", act.SupportedLevel)
	ctx, cancel := context.WithTimeout(ctx, supportRetry)
	defer cancel()
	_, _ = s.node.Wait(ctx, func(v *state.State) bool { // a mirror's copy has it later; else it is looked at again
		level, said := v.Support(s.self.ID)
		return said && level == act.SupportedLevel
	})
	return supportTick
}

// tellLevel puts into a status by what the network goes, and which level this build
// knows.
func tellLevel(out *admin.Status, view *state.State) {
	out.Policy = fmt.Sprintf("q=%d %s", view.Quorum, view.Policy)
	out.FeatureLevel, out.SupportedLevel = view.FeatureLevel, act.SupportedLevel
}

// levelWarnings tell of a proposed feature level at which this node would stop.
func (s *service) levelWarnings(view *state.State) []warning {
	level, open := view.ProposedLevel(max(view.LogTime, uint64(s.clock().UnixMilli())))
	if !open || level <= act.SupportedLevel {
		return nil
	}
	return []warning{warn("feature level %d is proposed, and this node's raresync supports %d: it stops once that is in force; install a newer one",
		"已提议功能级别 %d，而本节点的程序只支持 %d：生效后本节点将停止；请安装更新的版本", level, act.SupportedLevel)}
}

// supportOf is what a node has said that its build supports; 0 = nothing yet.
func supportOf(view *state.State, node string) uint64 {
	level, said := view.Support(node)
	if !said {
		return 0
	}
	return level
}
