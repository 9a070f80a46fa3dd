package quota

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
)

const (
	// maxRequests is how many requests of one hospital a holder takes a day.
	// They are remembered to the end of the next, so that none counts twice.
	maxRequests = 1024
	// maxJump is how many days a checkpoint may be ahead of the holder's day
	// without this machine's clock being asked.
	maxJump = 2
)

// Config is what a book needs.
type Config struct {
	Dir string // its own; made if it is not there
	Now func() time.Time
}

// Book is a holder's count. What it has said yes to is on disk.
type Book struct {
	cfg Config

	syncing sync.Mutex // held while the disk is written; comes before mu
	file    *os.File   // of the week fileWeek; guarded by syncing
	week    uint32

	mu      sync.Mutex // guards what follows
	day     uint32     // 0: none yet
	spent   bool       // nothing is evaluated on this day
	behind  bool       // the next day to begin is spent
	used    map[uint32]*use
	seen    map[requestKey][32]byte // the request that an id is for, of this day and the last
	reused  map[[32]byte]bool       // other requests under a used id, likewise
	taken   []taken                 // the requests of seen and reused, in order
	pending []record                // not written yet
	added   uint64                  // records ever added
	synced  uint64                  // of them on disk
	failed  error                   // what the disk said; nothing is counted after it
}

// use is what a hospital has used on the current day.
type use struct {
	elements uint64
	requests int
}

// taken is a request that is remembered so that it counts once.
type taken struct {
	day    uint32 // the holder's
	key    requestKey
	hash   [32]byte
	reused bool // another request had its id
}

type requestKey struct {
	hospital uint32
	id       [16]byte
}

// Open reads a holder's count. The error is ErrDamaged if it is not as it was
// written, and ledger.ErrStorage if the disk refuses.
func Open(cfg Config) (*Book, error) {
	b := &Book{cfg: cfg, used: map[uint32]*use{}, seen: map[requestKey][32]byte{}, reused: map[[32]byte]bool{}}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, storage("create", err)
	}
	if err := syncDir(filepath.Dir(cfg.Dir)); err != nil {
		return nil, storage("fsync", err)
	}
	list, err := weeks(cfg.Dir)
	if err != nil {
		return nil, err
	}
	for i, w := range list {
		if i+weeksKept < len(list) {
			continue // about to be removed
		}
		whole, err := scan(weekPath(cfg.Dir, w), b.replay(w))
		if err != nil {
			return nil, err
		}
		if i == len(list)-1 {
			if err := b.openWeek(w, whole); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// replay takes in the records of a week as they were counted.
func (b *Book) replay(week uint32) func(record) error {
	return func(r record) error {
		switch {
		case r.day/act.DaysInWeek != week || r.day < b.day:
			return fmt.Errorf("%w: day %d in week %d after day %d", ErrDamaged, r.day, week, b.day)
		case r.kind == kindDay:
			b.begin(r.day, r.flag)
		case r.day != b.day:
			return fmt.Errorf("%w: a request of day %d, which has not begun", ErrDamaged, r.day)
		default:
			b.enter(r)
		}
		return nil
	}
}

// openWeek opens a week's file for adding behind its whole records. The caller
// holds syncing, or nobody else has the book yet.
func (b *Book) openWeek(week uint32, whole int64) error {
	f, err := os.OpenFile(weekPath(b.cfg.Dir, week), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return storage("open", err)
	}
	if err := f.Truncate(whole); err != nil {
		return errors.Join(storage("truncate", err), f.Close())
	}
	if _, err := f.Seek(whole, 0); err != nil {
		return errors.Join(storage("seek", err), f.Close())
	}
	if err := syncDir(b.cfg.Dir); err != nil {
		return errors.Join(storage("fsync", err), f.Close())
	}
	if b.file != nil {
		_ = b.file.Close() // everything in it is synced
	}
	b.file, b.week = f, week
	return nil
}

// Close closes the file. Nothing may be counted afterwards.
func (b *Book) Close() error {
	b.syncing.Lock()
	defer b.syncing.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed == nil {
		b.failed = os.ErrClosed
	}
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}

// begin starts a day: the quotas are whole again, and what was counted before
// yesterday is forgotten, since no request of that time is taken any more.
func (b *Book) begin(day uint32, spent bool) {
	var kept []taken
	if day == b.day+1 {
		kept = slices.DeleteFunc(b.taken, func(t taken) bool { return t.day != b.day })
	}
	b.day, b.spent = day, spent
	b.used, b.taken = map[uint32]*use{}, nil
	b.seen, b.reused = map[requestKey][32]byte{}, map[[32]byte]bool{}
	for _, t := range kept {
		b.remember(t)
	}
}

// remember keeps a request so that it counts once.
func (b *Book) remember(t taken) {
	if t.reused {
		b.reused[t.hash] = true
	} else {
		b.seen[t.key] = t.hash
	}
	b.taken = append(b.taken, t)
}

// enter counts a request on the current day.
func (b *Book) enter(r record) {
	req := &r.asked.Request
	b.remember(taken{day: r.day, key: requestKey{req.Hospital, req.RequestID}, hash: req.Hash(), reused: r.flag})
	u := b.used[req.Hospital]
	if u == nil {
		u = &use{}
		b.used[req.Hospital] = u
	}
	u.elements += uint64(req.N)
	u.requests++
}

// Posted tells the book the newest week of usage that the log has of this
// holder. A count that ends before that week did is an older one, put back:
// then the next day to begin is spent.
func (b *Book) Posted(week uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if uint64(b.day) < act.DaysInWeek*(uint64(week)+1) {
		b.behind = true
	}
}

// Advance moves the day to that of a checkpoint and returns the holder's day.
// An older checkpoint changes nothing, and one more than two days ahead only
// what this machine's clock bears out. The new day is on disk before anything
// is counted on it.
func (b *Book) Advance(checkpoint uint32) uint32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	far := b.day != 0 && uint64(checkpoint) > uint64(b.day)+maxJump
	if checkpoint <= b.day || far && checkpoint > pseudonym.QuotaDay(uint64(max(b.cfg.Now().UnixMilli(), 0)))+1 {
		return b.day
	}
	r := record{kind: kindDay, day: checkpoint, flag: b.behind}
	b.behind = false
	b.begin(r.day, r.flag)
	b.add(r)
	return b.day
}

// add queues a record for the disk.
func (b *Book) add(r record) {
	b.pending = append(b.pending, r)
	b.added++
}
