package consensus

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// Status is where a node stands.
type Status struct {
	Node       string
	Kind       act.NodeKind
	Leader     string // node id, "" if none is known; voters alone know
	Via        string // of a mirror: the peer that answered last
	Term       uint64 // Raft term; 0 on a mirror
	Ready      bool
	Why, WhyZH string // why not ready, in English and Chinese
	Envelopes  uint64
	Size       uint64 // applied tree size
	Root       tlog.Hash
	LogTime    uint64 // ms
	Checkpoint tlog.Checkpoint
	Cosigned   uint64 // size of the tree that this voter cosigned last; 0 = none
	GapFrom    uint64 // envelope numbers this copy lacks; GapTo = 0 if none
	GapTo      uint64
	Damage     string // what of this copy is being repaired, "" if nothing
	Warnings   []Warning
}

// A Warning is what an operator should look into, in both languages.
type Warning struct{ EN, ZH string }

// warn puts values into both forms; the Chinese one may number them, as %[2]s.
func warn(en, zh string, values ...any) Warning {
	return Warning{fmt.Sprintf(en, values...), fmt.Sprintf(zh, values...)}
}

// Status returns where the node stands now.
func (n *Node) Status() Status {
	view := n.View()
	s := Status{
		Node: n.cfg.Self, Kind: n.partIn(view), Envelopes: view.Envelopes,
		Size: view.Tree.Size(), Root: view.Tree.Root(), LogTime: view.LogTime,
	}
	cp, _ := n.checkpoints.current()
	s.Checkpoint = cp.Checkpoint
	if n.signer != nil {
		s.Cosigned = n.signer.lastSize()
	}
	if from, to, open := n.gapNow(); open {
		s.GapFrom, s.GapTo = from, to
	}
	if damage := n.machine.Damage(); damage != nil {
		s.Damage = damage.Error()
	}
	if n.raft != nil {
		_, leader := n.raft.LeaderWithID()
		s.Leader, s.Term = string(leader), n.raft.CurrentTerm()
	} else if helper := n.lastHelper.Load(); helper != nil {
		s.Via = *helper
	}
	s.Warnings = n.warnings()
	why := n.notReady(s)
	s.Why, s.WhyZH, s.Ready = why.EN, why.ZH, why == Warning{}
	return s
}

// notReady says why this node is not ready; nothing if it is.
func (n *Node) notReady(s Status) Warning {
	if err := n.ended(); err != nil {
		return warn("%v", "节点已停止：%v", err)
	}
	for _, err := range []error{n.saltless.check(), n.current.check()} {
		if err != nil {
			return warn("not a copy: %v", "不是完整副本：%v", err)
		}
	}
	if _, gone, ok := n.View().EverNode(n.cfg.Self); ok && gone > 0 {
		return warn("this node was removed from the network with envelope %d", "本节点已被移出网络（信封 %d）", gone)
	}
	switch {
	case s.GapTo != 0:
		return warn("not a copy: envelopes %d to %d are still missing", "不是完整副本：尚缺信封 %d 至 %d", s.GapFrom, s.GapTo-1)
	case s.Damage != "":
		return warn("not a copy: %s", "不是完整副本，正在从其他节点修复：%s", s.Damage)
	case n.recovering.Load() != nil:
		return Warning{errRecovering.Error(), "本投票节点丢失了部分记忆，等待新的任期"}
	case n.full():
		return Warning{ErrNoRoom.Error() + ": nothing new is stored", "磁盘空间不足：不再存储任何新内容"}
	case s.Leader == "" && n.raft != nil:
		return Warning{"no leader known", "尚不知道领导节点"}
	case s.Leader == "" && s.Via == "":
		return Warning{"no voter reached yet", "尚未联系到任何投票节点"}
	case n.raft != nil && (n.raft.CommitIndex() == 0 || n.raft.AppliedIndex() < n.raft.CommitIndex()):
		return Warning{"catching up with the leader", "正在追赶领导节点"}
	case n.raft != nil && s.Checkpoint.Size == 0 && n.checkpoints.known() > 0:
		return Warning{"the checkpoint of the last run is being compared", "正在比对上次运行的检查点"}
	}
	return Warning{}
}

// HandleCheckpoint answers a peer's [Peers.Checkpoint]: the newest checkpoint,
// as soon as it is larger than size, or at the end of the context.
func (n *Node) HandleCheckpoint(ctx context.Context, size uint64) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(n.part.kept, cancel)() // one that is to be opened again is told of none
	cp, err := n.WaitCheckpoint(ctx, size+1)
	if err != nil {
		cp = n.Checkpoint()
	}
	if ended := n.ended(); ended != nil {
		return nil, fmt.Errorf("checkpoint: %w", ended)
	}
	if cp.Size == 0 || !n.isWhole() || n.mayNotVote() {
		return nil, fmt.Errorf("checkpoint: %w", ErrNotYet)
	}
	return cp.Marshal(), nil
}
