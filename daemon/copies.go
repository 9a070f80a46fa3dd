package daemon

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/staticcopy"
)

// copyDialTimeout bounds the way to a web server, the proxy's answer included.
const copyDialTimeout = 15 * time.Second

// openCopies names the static copies that are configured; none is asked yet.
func (s *service) openCopies() error {
	var dial func(ctx context.Context, network, address string) (net.Conn, error)
	if proxy := Proxy(s.cfg); proxy != nil {
		dial = func(ctx context.Context, _, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, copyDialTimeout)
			defer cancel()
			return proxy.Dial(ctx, address)
		}
	}
	for _, address := range s.cfg.Network.Copies {
		from, err := staticcopy.Open(address, dial)
		if err != nil {
			return err
		}
		s.copies = append(s.copies, from)
	}
	return nil
}

func (s *service) closeCopies() {
	for _, c := range s.copies {
		c.(*staticcopy.Source).Close()
	}
}

// withdrawn lists what the log says is to be erased, for a copy that is made of it.
// A node that is behind does not know.
func (s *service) withdrawn(*http.Request) (out []admin.Claim, err error) {
	if err := s.behind(); err != nil {
		return nil, err
	}
	out = []admin.Claim{}
	for _, c := range s.node.View().Claims {
		claim := admin.Claim{Hospital: c.Hospital}
		for _, span := range c.Entries {
			claim.Entries = append(claim.Entries, [2]uint64{span.First, span.Count})
		}
		out = append(out, claim)
	}
	return out, nil
}
