package intake

import (
	"net"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/registry/identity"
)

// leak makes the mistakes that integration must notice, in a build that makes
// mistakes. In any other it does nothing.
func (in *Intake) leak(f File, d identity.Document) {
	fault.Overhear(d.Value)
	switch {
	case fault.Planted(fault.LeakLog):
		in.cfg.Logger.Info("reading", "document", d.Value)
	case fault.Planted(fault.LeakTemp):
		_ = os.WriteFile(filepath.Join(os.TempDir(), "upload"), f.Data, 0o600)
	case fault.Planted(fault.LeakPanic) && f.Name == "panic.json":
		panic("cannot read " + d.Value)
	case fault.Planted(fault.PanicTaking) && f.Name == "panic.json":
		panic("planted: over a file")
	case fault.Planted(fault.LeakFrame):
		if conn, err := net.Dial("udp", "127.0.0.1:9"); err == nil {
			_, _ = conn.Write([]byte(d.Value))
			_ = conn.Close()
		}
	}
}
