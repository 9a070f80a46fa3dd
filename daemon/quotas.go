package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/evaluation"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/daemon/spool"
	"github.com/raresync/raresync/registry/act"
)

// quotaTick is how often the daemon looks whether the day, or its quota, has
// changed. Nothing is asked of others before it has.
const quotaTick = 2 * time.Second

// quotas are what a node keeps of evaluations: its count as a holder, what it
// asked as a hospital, and what waits for another day.
type quotas struct {
	evaluator *evaluation.Service
	book      *quota.Book // nil in a mirror, or if damaged
	damaged   error       // why a holder does not count
	asked     *quota.Asked
	spool     *spool.Spool

	tried  allotment // for which files were last found to be over quota
	posted uint32    // first week of usage that was not posted by this process
}

// allotment is what a hospital may use on one day.
type allotment struct {
	day   uint32
	quota uint64
}

// refusing is the count of a holder whose count is damaged.
type refusing struct{ err error }

func (refusing) Advance(checkpoint uint32) uint32                    { return checkpoint }
func (r refusing) Count(quota.Signed, func(day uint32) uint64) error { return r.err }

// count returns the holder's count, as the evaluation needs it.
func (q *quotas) count() evaluation.Count {
	switch {
	case q.book != nil:
		return q.book
	case q.damaged != nil:
		return refusing{q.damaged}
	}
	return nil
}

func (q *quotas) close() {
	if q.evaluator != nil {
		q.evaluator.Close()
	}
	if q.book != nil {
		_ = q.book.Close() // everything in it is synced
	}
}

// openQuotas opens the files. A damaged count does not keep the node from
// running: it evaluates nothing, and says so.
func (s *service) openQuotas() (err error) {
	dir := s.cfg.Node.DataDir
	if s.quotas.spool, err = spool.Open(spool.Config{Dir: filepath.Join(dir, "spool"), Sealing: s.keys.Sealing, Former: s.ring.Sealing, Now: s.clock}); err != nil {
		return err
	}
	if s.quotas.asked, err = quota.OpenAsked(filepath.Join(dir, "asked")); err != nil {
		return err
	}
	// Only a hospital with a voter gets a share, and may keep it as a mirror.
	if s.self.Kind == act.Mirror && s.shares.Of(s.node.View().OPRF.Epoch) == nil {
		return nil
	}
	s.quotas.book, err = quota.Open(quota.Config{Dir: filepath.Join(dir, "quota"), Now: s.clock})
	switch {
	case errors.Is(err, quota.ErrDamaged):
		s.log.Error("this holder evaluates nothing", "reason", err.Error())
		s.quotas.damaged = err
		return nil
	case err != nil:
		return err
	}
	s.comparePosted(s.node.View())
	return nil
}

// comparePosted lets the count notice that it is older than what it has posted.
func (s *service) comparePosted(view *state.State) {
	if week, found := view.LastUsage(s.self.Institution); found {
		s.quotas.book.Posted(week)
	}
}

// ownQuota returns this hospital's quota of today; before there is a day, that
// of day 0, to which no allowance adds.
func (s *service) ownQuota() uint64 {
	day, err := s.quotas.evaluator.Day()
	if err != nil {
		day = 0
	}
	return s.node.View().Quota(s.self.Institution, day)
}

// runQuotas posts the usage of finished weeks and lets waiting files go on when
// the day or the quota has changed. It ends with the context, or with a disk
// that fails.
func (s *service) runQuotas(ctx context.Context) error {
	tick := time.NewTicker(quotaTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		day, err := s.quotas.evaluator.Day()
		if err != nil {
			continue // no checkpoint yet
		}
		if err := errors.Join(s.postUsage(ctx, day), s.resumeWaiting(ctx, day)); err != nil && ctx.Err() == nil {
			if errors.Is(err, ledger.ErrStorage) {
				return err
			}
			s.log.Warn("quotas", "reason", err.Error())
		}
	}
}

// postUsage posts what this holder counted in the weeks that have ended and are
// still kept.
func (s *service) postUsage(ctx context.Context, day uint32) error {
	if s.quotas.book == nil {
		return nil
	}
	view := s.node.View()
	s.comparePosted(view)
	week := s.quotas.book.Advance(day) / act.DaysInWeek
	from := max(s.quotas.posted, week-min(week, 2))
	if last, found := view.LastUsage(s.self.Institution); found {
		from = max(from, last+1)
	}
	for ; from < week; from++ {
		u, err := s.quotas.book.Usage(from)
		if err == nil {
			_, err = s.outbox.AddAct(ctx, act.Act{Version: act.Version, Type: act.TypeUsage, Payload: u.Marshal()})
		}
		if err != nil && !errors.Is(err, quota.ErrNotKept) {
			return fmt.Errorf("post usage of week %d: %w", from, err)
		}
		s.quotas.posted = from + 1
	}
	return nil
}

// resumeWaiting lets files go on that wait for quota, unless they were found to
// be over this very one.
func (s *service) resumeWaiting(ctx context.Context, day uint32) error {
	now := allotment{day, s.ownQuota()}
	if files, _ := s.quotas.spool.Waiting(); files == 0 || now == s.quotas.tried || s.node.Room() != nil {
		return nil
	}
	waiting, err := s.intake.Resume(ctx)
	if err != nil {
		return fmt.Errorf("files that wait for quota: %w", err)
	}
	if waiting {
		s.quotas.tried = now
	}
	return nil
}

// quotaWarnings are what an operator should know of evaluations.
func (s *service) quotaWarnings(view *state.State) (out []warning) {
	if files, since := s.quotas.spool.Waiting(); files > 0 {
		out = append(out, warn("%d submitted files wait for another day's quota, the first since %s: they go on by themselves",
			"%d 个已提交的文件因超出配额而等待（最早的自 %s 起），会自行继续", files, since.UTC().Format(time.RFC3339)))
	}
	if s.quotas.damaged != nil {
		out = append(out, warn("this holder evaluates nothing: %v", "本持有方不再求值：%v", s.quotas.damaged))
	}
	for _, f := range view.Falsehoods {
		out = append(out, warn("share holder %s has answered falsely in epoch %d: envelope %d has the evidence, reported by %s",
			"份额持有方 %s 在份额代次 %d 中作出虚假应答：证据在信封 %d 中，由 %s 报告",
			memberWithNumber(view, f.Holder), f.Epoch, f.Envelope, memberWithNumber(view, f.Reporter)))
	}
	for _, a := range s.quotas.evaluator.Alarms() {
		out = append(out, warning{a.EN, a.ZH})
	}
	for _, e := range s.quotas.asked.Excess(view.Usages, s.self.Institution) {
		out = append(out, warn("share holder %s claims at least %d evaluations for this hospital in week %d, which asked it for %d: have it show the signed requests",
			"份额持有方 %s 声称第 %[3]d 周为本院求值至少 %[2]d 次，而本院只请求了 %[4]d 次：请其出示签名请求",
			memberWithNumber(view, e.Holder), e.AtLeast, e.Week, e.Asked))
	}
	return out
}
