package daemon

import (
	"crypto/rand"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/daemon/withdraw"
)

// openDesk opens what carries out patients' decisions.
func (s *service) openDesk(dir string) (err error) {
	s.desk, err = withdraw.Open(withdraw.Config{
		Hospital: s.self.Institution, Entries: s.reader, Outbox: s.outbox, Log: s.node, EntryID: s.keys.EntryID, Handle: s.keys.Handle,
		Sealing: s.ring.Sealing, Path: filepath.Join(dir, "withdrawals"), Schedule: s.schedule(),
		Erased: s.links.Forget, Random: rand.Reader, Now: s.clock, Logger: s.log,
	})
	return err
}

// schedule says when withdrawals of this institution are posted.
func (s *service) schedule() withdraw.Schedule {
	return withdraw.Schedule{Spread: s.cfg.Withdraw.Spread, Most: s.mostSpread}
}

// mostSpread is within which time the network wants a withdrawal posted.
func (s *service) mostSpread() time.Duration {
	return time.Duration(s.node.View().Policy.InForce().SpreadHours) * time.Hour
}
