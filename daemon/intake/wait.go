package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/spool"
	"github.com/raresync/raresync/registry/entry"
)

// Spool keeps what waits for another day's quota; [spool.Spool] is one.
type Spool interface {
	Keep(tag [8]byte, files int, lot []byte) error
	Oldest() (l spool.Lot, lot []byte, ok bool, err error)
	Lots() []spool.Lot
	Read(l spool.Lot) (lot []byte, ok bool, err error)
	Remove(l spool.Lot) error
}

// ErrTooMany reports a file with more persons than a day's quota, which would
// wait for ever. An allowance, or several smaller files, cure it.
var ErrTooMany = errors.New("more persons in one file than the quota of a day")

// persons counts the national pseudonyms that files need.
func persons(lot ...*work) (n int) {
	for _, w := range lot {
		for _, p := range w.patients {
			if p.id.X() != nil {
				n++
			}
		}
	}
	return n
}

// lots cuts a batch into what is asked together: as many files as have the
// persons of one request, and no more than half a day's quota, so that little of
// it is left over.
func (in *Intake) lots(batch []*work) (lots [][]*work) {
	most := pseudonym.MaxBatch
	if in.cfg.Quota != nil {
		most = int(max(1, min(uint64(most), in.cfg.Quota()/2)))
	}
	room := 0
	for _, w := range batch {
		n := persons(w)
		if len(lots) == 0 || n > room {
			lots, room = append(lots, nil), most
		}
		lots[len(lots)-1] = append(lots[len(lots)-1], w)
		room -= n
	}
	return lots
}

// coveredInADay is ErrTooMany, with the file's name, if the quota of today is
// not enough for a file that is handed in. For files that wait it is not asked:
// the quota may have been larger when they came, and their names are nobody's
// but the clerk's who brought them.
func (in *Intake) coveredInADay(batch []*work) error {
	if in.cfg.Quota == nil {
		return nil
	}
	today := in.cfg.Quota()
	for _, w := range batch {
		if n := persons(w); uint64(n) > today {
			return fmt.Errorf("%w: %s needs %d pseudonyms, the quota is %d: split it, or have an allowance approved", ErrTooMany, w.file.Name, n, today)
		}
	}
	return nil
}

// keep seals a lot's files into the spool.
func (in *Intake) keep(lot []*work, profile entry.Profile) error {
	var files []File
	for _, w := range lot {
		if w.result.Outcome == Accepted {
			files = append(files, w.file)
		}
	}
	if err := in.keepFiles(files, profile); err != nil {
		return err
	}
	for _, w := range lot {
		if w.result.Outcome == Accepted {
			w.result.Outcome = Waiting
		}
	}
	return nil
}

func (in *Intake) keepFiles(files []File, profile entry.Profile) error {
	raw := marshalLot(files, profile)
	mac := hmac.New(sha256.New, in.cfg.EntryID[:])
	mac.Write([]byte("raresync/spool/tag\x00"))
	mac.Write(raw)
	if err := in.cfg.Spool.Keep([8]byte(mac.Sum(nil)), len(files), raw); err != nil {
		return fmt.Errorf("keep %d files for another day: %w", len(files), err)
	}
	return nil
}

// Resume takes what waits in the spool, oldest first, until the quota is used
// up. It reports whether something waits still. A lot leaves the spool when the
// outbox has its entries, or the spool the rest of it in a lot of its own.
func (in *Intake) Resume(ctx context.Context) (waiting bool, err error) {
	for {
		l, raw, ok, err := in.cfg.Spool.Oldest()
		switch {
		case !ok:
			return false, nil
		case errors.Is(err, spool.ErrDamaged):
			in.cfg.Logger.Error("files that wait for quota cannot be read: submit them again", "files", l.Files, "reason", err.Error())
			continue
		case err != nil:
			return true, err
		}
		files, profile, err := unmarshalLot(raw)
		if err != nil {
			return true, fmt.Errorf("%d files that wait for quota since %s: %w", l.Files, l.Since.Format(time.DateOnly), err)
		}
		batch := in.readAll(files, profile)
		rest, err := in.take(ctx, batch)
		if err != nil {
			return true, err
		}
		left := 0
		for _, lot := range rest {
			left += len(lot)
		}
		if left == len(batch) {
			return true, nil
		}
		for _, lot := range rest {
			if err := in.keep(lot, profile); err != nil {
				return true, err
			}
		}
		if err := in.cfg.Spool.Remove(l); err != nil {
			return true, err
		}
		if err := in.tell(batch); err != nil {
			return true, err
		}
		in.tellResumed(batch)
		if left > 0 {
			return true, nil
		}
	}
}

// tellResumed says what became of files that waited.
func (in *Intake) tellResumed(batch []*work) {
	count := map[Outcome]int{}
	for _, w := range batch {
		count[w.result.Outcome]++
	}
	in.cfg.Logger.Info("files that waited for quota went on", "accepted", count[Accepted]+count[Known], "refused", count[Refused], "waiting", count[Waiting])
}
