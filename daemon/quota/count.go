package quota

import (
	"fmt"
	"os"

	"github.com/raresync/raresync/registry/act"
)

// Count counts a request against its hospital's quota of the current day and
// returns nil once that is on disk: then, and only then, it may be evaluated.
// The same request again is nil again and counts nothing.
//
// Its refusals are ErrOver, ErrDay, ErrReused, ErrRequests and ErrBehind. Any
// other error is the disk's, ledger.ErrStorage, after which nothing is counted
// any more. Requests counted at the same time share an fsync.
func (b *Book) Count(s Signed, quota func(day uint32) uint64) error {
	b.mu.Lock()
	refusal := b.count(s, quota)
	upTo := b.added // a day that has begun, or a first copy of the request, may still be on its way
	b.mu.Unlock()
	if err := b.commit(upTo); err != nil {
		return err
	}
	return refusal
}

// count decides, and queues what must be on disk before the decision is told.
func (b *Book) count(s Signed, quota func(day uint32) uint64) error {
	req := &s.Request
	switch {
	case b.day == 0 || req.QuotaDay != b.day && uint64(req.QuotaDay)+1 != uint64(b.day):
		return fmt.Errorf("%w: the request is of day %d, it is day %d here", ErrDay, req.QuotaDay, b.day)
	case b.spent || b.behind:
		return fmt.Errorf("%w: nothing is evaluated on day %d", ErrBehind, b.day)
	}
	hash := req.Hash()
	first, known := b.seen[requestKey{req.Hospital, req.RequestID}]
	switch {
	case known && first == hash:
		return nil
	case b.reused[hash]:
		return ErrReused
	}
	u := b.used[req.Hospital]
	if u == nil {
		u = &use{}
	}
	limit := quota(b.day)
	left := limit - min(limit, u.elements)
	switch {
	case uint64(req.N) > left:
		return fmt.Errorf("%w: %d elements on day %d, %d of %d are left", ErrOver, req.N, b.day, left, limit)
	case u.requests == maxRequests:
		return fmt.Errorf("%w: %d on day %d; larger batches need fewer", ErrRequests, u.requests, b.day)
	}
	r := record{kind: kindCounted, day: b.day, flag: known, asked: s}
	b.enter(r)
	b.add(r)
	if known {
		return ErrReused
	}
	return nil
}

// commit returns once the first upTo records are on disk. Whoever comes first
// writes for all that wait.
func (b *Book) commit(upTo uint64) error {
	b.syncing.Lock()
	defer b.syncing.Unlock()
	b.mu.Lock()
	if b.synced >= upTo || b.failed != nil {
		defer b.mu.Unlock()
		return b.failed
	}
	list, end := b.pending, b.added
	b.pending = nil
	b.mu.Unlock()
	err := b.write(list)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.failed = err
		return err
	}
	b.synced = end
	return nil
}

// write puts records into the files of their weeks and fsyncs each. The caller
// holds syncing.
func (b *Book) write(list []record) error {
	for len(list) > 0 {
		week := list[0].day / act.DaysInWeek
		n := 1
		for n < len(list) && list[n].day/act.DaysInWeek == week {
			n++
		}
		if b.file == nil || b.week != week {
			if err := b.openWeek(week, 0); err != nil {
				return err
			}
			if err := b.prune(week); err != nil {
				return err
			}
		}
		var raw []byte
		for i := range list[:n] {
			raw = list[i].appendFrame(raw)
		}
		if _, err := b.file.Write(raw); err != nil {
			return storage("write", err)
		}
		if err := b.file.Sync(); err != nil {
			return storage("fsync", err)
		}
		list = list[n:]
	}
	return nil
}

// prune removes the files of weeks that nobody can dispute any more.
func (b *Book) prune(week uint32) error {
	list, err := weeks(b.cfg.Dir)
	if err != nil {
		return err
	}
	for _, w := range list {
		if uint64(w)+weeksKept <= uint64(week) {
			if err := os.Remove(weekPath(b.cfg.Dir, w)); err != nil {
				return storage("remove", err)
			}
		}
	}
	return nil
}
