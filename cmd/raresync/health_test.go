package main

import (
	"testing"

	"github.com/raresync/raresync/daemon/admin"
)

func TestHealthIsTheWorstOfWhatStatusSays(t *testing.T) {
	good := admin.Status{Node: "h1", Kind: "voter", Ready: true, Size: 12, Checkpoint: 12, Peers: make([]admin.Peer, 4)}
	for name, tc := range map[string]struct {
		change func(s *admin.Status)
		lang   string
		want   string // as nagios has it
	}{
		"a ready node": {func(*admin.Status) {}, "en",
			"RARESYNC OK - node h1 (voter): ok | entries=12 unconfirmed=0 outbox=0 waiting_files=0 sessions=4\n"},
		"a warning": {func(s *admin.Status) { s.Warnings, s.Outbox = []string{"disk | low"}, 3 }, "en",
			"RARESYNC WARNING - node h1 (voter): disk / low | entries=12 unconfirmed=0 outbox=3 waiting_files=0 sessions=4\n"},
		"not ready is worse than a warning": {func(s *admin.Status) {
			s.Ready, s.Why, s.Warnings, s.Peers = false, "no leader known", []string{"no way to h2"}, nil
		}, "en",
			"RARESYNC CRITICAL - node h1 (voter): not ready: no leader known (+1) | entries=12 unconfirmed=0 outbox=0 waiting_files=0 sessions=0\nno way to h2\n"},
		"an alarm, in Chinese": {func(s *admin.Status) { s.Alarm, s.Checkpoint = "SIG001", 10 }, "zh",
			"RARESYNC CRITICAL - 节点 h1（voter）: 发件箱停滞：SIG001 | entries=12 unconfirmed=2 outbox=0 waiting_files=0 sessions=4\n"},
		"a warning in Chinese": {func(s *admin.Status) { s.Warnings, s.WarningsZH = []string{"low"}, []string{"不足"} }, "zh",
			"RARESYNC WARNING - 节点 h1（voter）: 不足 | entries=12 unconfirmed=0 outbox=0 waiting_files=0 sessions=4\n"},
	} {
		s := good
		tc.change(&s)
		d := judgeStatus(s, voice{tc.lang})
		if got := d.nagios(); got != tc.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tc.want)
		}
	}
}
