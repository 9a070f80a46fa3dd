package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/space"
)

// ErrNoRoom says that the disk is too full for what was asked. It goes on by
// itself, without a restart, when there is room again.
var ErrNoRoom = errors.New("too little room on the disk")

const (
	lookPeriod = time.Second      // between two looks at the disk
	yieldPause = 30 * time.Second // between two hand-overs: the others may be short of room as well
)

// room is what a node remembers of its disk for the log.
type room struct {
	level  atomic.Int32 // space.Level that was logged last
	failed atomic.Bool  // the last look failed
}

// runSpace watches the disk. A leader that is short of room gives leadership
// away: one that ran full could store nothing, and everybody would wait for
// the next election.
func (n *Node) runSpace(ctx context.Context) {
	var yielded time.Time
	for {
		level := n.told(n.cfg.Space.Tend())
		if level >= space.Short && n.Leading() && time.Since(yielded) >= yieldPause && !fault.Planted(fault.LeadWhenShort) {
			n.log.Warn("leadership is handed over for want of room on the disk")
			n.handOver(ctx)
			yielded = time.Now()
		}
		if !pause(ctx, lookPeriod) {
			return
		}
	}
}

// look returns the disk's level as it would be with so many bytes more on it.
func (n *Node) look(bytes int) space.Level {
	if n.cfg.Space == nil {
		return space.Ample
	}
	return n.told(n.cfg.Space.Look(uint64(bytes)))
}

// told passes on what a look found, and tells the log when the level has
// changed.
func (n *Node) told(level space.Level, err error) space.Level {
	if failed := err != nil; n.room.failed.Swap(failed) != failed && failed {
		n.log.Warn("the disk is not watched", "reason", err.Error())
	}
	now, _, _ := n.cfg.Space.Last()
	switch before := space.Level(n.room.level.Swap(int32(now))); {
	case now > before:
		n.log.Warn("room on the disk runs out", "level", now.String(), "warning", n.roomWarning().EN)
	case now < before:
		n.log.Info("there is more room on the disk", "level", now.String())
	}
	return level
}

// Room says whether this hospital may hand in something new: nil, or ErrNoRoom.
func (n *Node) Room() error {
	if n.look(0) < space.Scarce {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrNoRoom, n.roomWarning().EN)
}

// guard is asked before the log store stores records of so many bytes, which
// the ledger will want to store once more.
func (n *Node) guard(bytes int) error {
	if n.cfg.guard != nil {
		if err := n.cfg.guard(bytes); err != nil {
			return err
		}
	}
	if n.look(2*bytes) == space.Full && !fault.Planted(fault.StoreWhenFull) {
		return ErrNoRoom
	}
	return nil
}

// full reports whether the last look found the disk full.
func (n *Node) full() bool { return space.Level(n.room.level.Load()) == space.Full }

// Full reports whether nothing new is stored here for want of room on the disk.
func (n *Node) Full() bool { return n.full() }

// awaitRoom waits before something is pulled while the disk is full, or
// reports false if the context ended first.
func (n *Node) awaitRoom(ctx context.Context) bool {
	for n.look(maxPullBytes) == space.Full {
		if !pause(ctx, lookPeriod) {
			return false
		}
	}
	return true
}

// roomWarning returns what an operator should know of the disk, if anything.
func (n *Node) roomWarning() Warning {
	if n.cfg.Space == nil {
		return Warning{}
	}
	level, free, total := n.cfg.Space.Last()
	if level == space.Ample {
		return Warning{}
	}
	what := [...]Warning{
		space.Low:    {"make room", "请腾出空间"},
		space.Scarce: {"this hospital's new files are refused", "本院的新文件被拒绝"},
		space.Short:  {"this hospital's new files are refused, and this node does not lead", "本院的新文件被拒绝，且本节点不担任领导"},
		space.Full:   {"nothing new is stored", "不再存储任何新内容"},
	}[level]
	reserve := Warning{}
	if missing := n.cfg.Space.Missing(); missing > 0 {
		reserve = warn(", beyond a reserve of %s that is given up", "（另有 %s 预留空间已让出）", inMiB(missing))
	}
	return Warning{
		fmt.Sprintf("the disk has %s left of %s%s: %s", inMiB(free), inMiB(total), reserve.EN, what.EN),
		fmt.Sprintf("磁盘剩余 %s，共 %s%s：%s", inMiB(free), inMiB(total), reserve.ZH, what.ZH),
	}
}

func inMiB(bytes uint64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
