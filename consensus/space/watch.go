package space

import (
	"fmt"
	"sync"

	"github.com/raresync/raresync/consensus/fault"
)

// A Level says how much room is left.
type Level int

// The levels, each worse than the one before.
const (
	Ample Level = iota
	Low
	Scarce
	Short
	Full
)

// String returns the level as a lower-case word.
func (l Level) String() string {
	return [...]string{"ample", "low", "scarce", "short", "full"}[l]
}

// beginnings says where each level begins, as a share of the disk and at most.
var beginnings = [...]struct {
	percent  uint64
	maxBytes uint64
}{
	Low:    {15, 20 << 30},
	Scarce: {10, 10 << 30},
	Short:  {5, 5 << 30},
	Full:   {1, 1 << 30},
}

// leaveBy is by which part of its beginning a level must be exceeded to be
// left.
const leaveBy = 5

// A Probe returns the bytes that this process may still use on the disk, and
// the disk's size.
type Probe func() (free, total uint64, err error)

// Config says what to watch.
type Config struct {
	Dir          string // the reserve lies here
	Probe        Probe
	LowBytes     uint64 // where Low begins; 0: where the package doc says
	ReserveBytes uint64 // size of the reserve; 0: none
}

// A Watch follows one disk. It is safe for concurrent use.
type Watch struct {
	cfg Config

	mu      sync.Mutex // guards what follows
	reserve *reserve
	level   Level
	free    uint64 // beyond the reserve, when last looked
	total   uint64
}

// New returns a watch that has not looked yet.
func New(cfg Config) *Watch {
	return &Watch{cfg: cfg, reserve: openReserve(cfg.Dir, cfg.ReserveBytes)}
}

// Tend looks at the disk and makes the reserve, unless the disk is full. It is
// to be called now and then.
func (w *Watch) Tend() (Level, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	level, err := w.look(0)
	if err == nil && level < Full {
		err = w.reserve.hold()
	}
	return level, err
}

// Look asks the disk, gives up the reserve if it is full, and returns the level
// as it would be with so many bytes more on it. After an error the level is
// what it was. It costs a system call.
func (w *Watch) Look(bytes uint64) (Level, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.look(bytes)
}

func (w *Watch) look(bytes uint64) (Level, error) {
	free, total, err := w.cfg.Probe()
	if err != nil {
		return w.level, fmt.Errorf("look at the disk of %s: %w", w.cfg.Dir, err)
	}
	free -= min(free, w.reserve.missing())
	w.free, w.total = free, total
	w.level = w.cfg.levelAt(free, total, w.level)
	if w.level == Full && !fault.Planted(fault.ForgetReserve) {
		if err := w.reserve.release(); err != nil {
			return w.level, err
		}
	}
	return w.cfg.levelAt(free-min(free, bytes), total, w.level), nil
}

// Last returns what the last look found: the level, the free bytes beyond the
// reserve and the disk's size.
func (w *Watch) Last() (level Level, free, total uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.level, w.free, w.total
}

// Missing returns the bytes of a reserve that is given up, or was never made for
// want of room; 0 if it is there or none is wanted.
func (w *Watch) Missing() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reserve.missing()
}

// levelAt returns the worst level that has begun, or is not left yet.
func (c Config) levelAt(free, total uint64, before Level) Level {
	for l := Full; l > Ample; l-- {
		limit := c.begins(l, total)
		if l <= before {
			limit += limit / leaveBy
		}
		if free < limit {
			return l
		}
	}
	return Ample
}

// Judge returns the level that a watch would begin with, the free bytes and the
// disk's size. It changes nothing, and knows no reserve.
func (c Config) Judge() (level Level, free, total uint64, err error) {
	if free, total, err = c.Probe(); err != nil {
		return Ample, 0, 0, err
	}
	return c.levelAt(free, total, Ample), free, total, nil
}

func (c Config) begins(l Level, total uint64) uint64 {
	if l == Low && c.LowBytes > 0 {
		return c.LowBytes
	}
	b := beginnings[l]
	return min(total/100*b.percent, b.maxBytes)
}
