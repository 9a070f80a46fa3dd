package daemon

import (
	"net/http"
	"runtime/pprof"
	"strings"

	"github.com/raresync/raresync/consensus/fault"
)

// goroutines says where the daemon's goroutines are: functions and lines, without
// the arguments that a crash would show.
func (s *service) goroutines(*http.Request) (string, error) {
	var b strings.Builder
	err := pprof.Lookup("goroutine").WriteTo(&b, 1)
	return b.String(), err
}

// recentLog is the end of the log, as far as it may be shown.
func (s *service) recentLog(*http.Request) (string, error) {
	text := s.lines.Text()
	if fault.Planted(fault.LeakBundle) {
		text += fault.Overheard()
	}
	return text, nil
}
