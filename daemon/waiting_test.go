package daemon

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
)

// TestASocketThatClosesLateLeavesTheNextOneAlone opens the admin socket and, at
// once, another in its place, as a node does that finds itself let in: what
// serves the first may not have begun yet.
func TestASocketThatClosesLateLeavesTheNextOneAlone(t *testing.T) {
	s := &service{cfg: config.Config{Listen: config.Listen{AdminSocket: filepath.Join(shortDir(t), "s")}}}
	defer s.workers.Wait()
	for range 50 {
		first, err := s.serveAdmin(t.Context(), http.NotFoundHandler())
		must(t, err)
		first()
		second, err := s.serveAdmin(t.Context(), http.NotFoundHandler())
		must(t, err)
		for range 20 {
			if _, err := admin.NewClient(s.cfg.Listen.AdminSocket).Status(t.Context()); errors.Is(err, admin.ErrUnreachable) {
				t.Fatalf("the second socket is gone: %v", err)
			}
		}
		second()
	}
}
