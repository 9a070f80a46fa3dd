package configs_test

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const (
	oldest    = 219 // of CentOS 7
	dropIn    = "raresync-older.conf"
	operating = "../docs/OPERATIONS.md"
)

// since is the version of systemd that each directive of the unit came with. A
// directive that is not here has to be thought about: what does a node do without
// it?
var since = map[string]int{
	"Description": 1, "Documentation": 1, "Wants": 1, "After": 1, "WantedBy": 1, "Type": 1, "NotifyAccess": 1, "WatchdogSec": 1,
	"ExecStart": 1, "ExecStartPre": 1, "TimeoutStartSec": 188, "TimeoutStopSec": 188, "Restart": 1, "RestartSec": 1, "RestartPreventExitStatus": 189,
	"User": 1, "Group": 1, "UMask": 1, "LimitNOFILE": 1, "LimitCORE": 1, "Environment": 1, "RuntimeDirectory": 211, "RuntimeDirectoryMode": 211,
	"CapabilityBoundingSet": 1, "NoNewPrivileges": 187, "PrivateTmp": 1, "PrivateDevices": 209, "ProtectHome": 214, "ProtectSystem": 214,
	"RestrictAddressFamilies": 211, "SystemCallArchitectures": 209, "SystemCallErrorNumber": 209, "SystemCallFilter": 187,

	"StartLimitIntervalSec": 230, "StartLimitBurst": 230, // in [Unit]
	"MemoryDenyWriteExecute": 231, "RestrictRealtime": 231,
	"PrivateUsers": 232, "ProtectControlGroups": 232, "ProtectKernelModules": 232, "ProtectKernelTunables": 232, "RemoveIPC": 232,
	"RestrictNamespaces": 233,
	"LockPersonality":    235, "StateDirectory": 235, "StateDirectoryMode": 235, "RuntimeDirectoryPreserve": 235,
	"ProtectHostname": 242, "RestrictSUIDSGID": 242,
	"ProtectKernelLogs": 244, "ProtectClock": 245,
	"LoadCredential": 247, "ProtectProc": 247, "ProcSubset": 247, "PrivateIPC": 248,
}

var directive = regexp.MustCompile(`(?m)^([A-Z][A-Za-z]+)=.*\n`)

// TestOlderSystemdsPassOverKnownLines compares the directives that systemd 219
// does not know with those of the page, which says what a node does without each.
// That it does run without them all is tried by TestTheUnitRunsUnderSystemd.
func TestOlderSystemdsPassOverKnownLines(t *testing.T) {
	text, err := os.ReadFile(unitName)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(operating)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| ((?:`[A-Za-z]+`(?:, )?)+) \\| ([0-9]+) \\|").FindAllSubmatch(page, -1) {
		for _, name := range regexp.MustCompile("[A-Za-z]+").FindAllString(string(m[1]), -1) {
			told[name] = string(m[2])
		}
	}
	seen := 0
	for _, m := range directive.FindAllSubmatch(text, -1) {
		name := string(m[1])
		version, known := since[name]
		if !known {
			t.Errorf("%s: since which systemd?", name)
		}
		if version <= oldest {
			continue
		}
		if seen++; told[name] != strconv.Itoa(version) {
			t.Errorf("%s came with systemd %d, and the page says %q", name, version, told[name])
		}
		delete(told, name)
	}
	for name := range told {
		if bytes.Contains(text, []byte(name+"=")) { // as StartLimitBurst, which is there once
			continue
		}
		t.Errorf("the page has %s, which the unit has not", name)
	}
	if seen < 20 {
		t.Errorf("only %d directives are newer than %d", seen, oldest)
	}
}

func TestTheDropInForOlderSystemdsLoads(t *testing.T) {
	more, err := os.ReadFile(dropIn)
	if err != nil {
		t.Fatal(err)
	}
	out, err := analyze(t, "verify", "--man=no", unit(t, func(text []byte) []byte { return append(append(text, '\n'), more...) }))
	if err != nil || strings.Contains(string(out), unitName) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
