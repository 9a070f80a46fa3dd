package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/daemon/daily"
)

// dailyTick is how often it is asked whether a day is over.
const dailyTick = 5 * time.Second

// openDaily opens the numbers of the days whose intake is not sent. They are worth
// no daemon that does not start.
func (s *service) openDaily(dir string) (err error) {
	s.daily, err = daily.Open(filepath.Join(dir, "daily.json"))
	if errors.Is(err, daily.ErrDamaged) {
		s.log.Error("what came today is counted from now", "reason", err.Error())
		err = nil
	}
	return err
}

// runDaily posts what was handed in on a day once the day is over, until the
// context ends. Its error is a failed fsync's.
func (s *service) runDaily(ctx context.Context) error {
	return s.everySoOften(ctx, dailyTick, "the numbers of a day's intake wait to be posted", s.postDays)
}

// everySoOften does what may have to wait for the network or the quota, at each tick,
// until the context ends. The log says that it waits, once for each reason. The error
// is ledger.ErrStorage, of which nothing is tried again.
func (s *service) everySoOften(ctx context.Context, tick time.Duration, waits string, do func(context.Context) error) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		err := do(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			told = ""
		case errors.Is(err, ledger.ErrStorage):
			return err
		case err.Error() != told:
			told = err.Error()
			s.log.Warn(waits, "reason", told)
		}
	}
}

// postDays posts the intakes of the days that are over.
func (s *service) postDays(ctx context.Context) error {
	for _, d := range s.daily.Due(s.intake.Today()) {
		if err := s.mayTake(); err != nil {
			return err
		}
		taken, err := s.intake.Post(ctx, s.intake.Daily(d.Date, d.Intake))
		if err != nil {
			return err
		}
		if taken.Known { // posted before a crash, or before the clock went back over midnight
			s.log.Info("the intake of a day was posted before", "day", d.Date.String())
		}
		if err := s.daily.Sent(d.Date); err != nil {
			return err
		}
	}
	return nil
}
