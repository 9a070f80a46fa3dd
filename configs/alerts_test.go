package configs_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const rulesName = "alerts.yml"

// promtool runs Prometheus' own tool. Where it is missing, a full run fails, and
// any other says what was not examined.
func promtool(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		const missing = "promtool is not installed: the alert rules were not tried"
		if os.Getenv("RARESYNC_REQUIRE_ROOT") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return exec.CommandContext(t.Context(), path, args...).CombinedOutput()
}

// anAlert is a rule of the page.
type anAlert struct{ severity, summary string }

var ruleForm = regexp.MustCompile(`^\s*([A-Z]\w+)\n +expr: \S.*\n(?: +for: \d+m\n)? +labels: \{severity: (warning|critical)\}\n +annotations: \{summary: ("[^"]+[.?]")\}\s*$`)

// alerts reads the rules.
func alerts(t *testing.T) map[string]anAlert {
	t.Helper()
	raw, err := os.ReadFile(rulesName)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]anAlert{}
	for _, r := range strings.Split(string(raw), "- alert:")[1:] {
		m := ruleForm.FindStringSubmatch(r)
		if m == nil {
			t.Fatalf("no alert with name, expression, severity and summary:%s", r)
		}
		all[m[1]] = anAlert{m[2], m[3]}
	}
	return all
}

// healthy is what a voter shows of which all is well. A number is as it stays; everything else is as promtool takes it.
var healthy = map[string]string{
	`up{job="raresync"}`: "1", `raresync_node_info{node="h1",role="voter"}`: "1",
	`raresync_ready`: "1", `raresync_raft_has_leader`: "1", `raresync_raft_voters`: "5", `raresync_raft_voters_reached`: "5",
	`raresync_raft_leader_changes_total`: "2", `raresync_log_root_mismatch_total`: "0", `raresync_dleq_failures_total`: "0",
	`raresync_envelopes_refused_total{reason="SEQ-FORK"}`: "0", `raresync_envelopes_refused_total{reason="SEQ001"}`: "0+1x100",
	`raresync_log_cosigners`: "3", `raresync_log_tree_size`: "900", `raresync_log_checkpoint_size`: "900", `raresync_log_checkpoint_age_seconds`: "3600",
	`raresync_raft_apply_lag_entries`: "0", `raresync_mirror_lag_entries`: "0", `raresync_raft_follower_behind_entries{peer="h2"}`: "16",
	`raresync_store_sync_duration_seconds_bucket{le="0.01"}`: "0+60x100", `raresync_store_sync_duration_seconds_bucket{le="1"}`: "0+60x100",
	`raresync_store_sync_duration_seconds_bucket{le="2.5"}`: "0+60x100", `raresync_store_sync_duration_seconds_bucket{le="+Inf"}`: "0+60x100",
	`raresync_oprf_shares_available`: "3", `raresync_oprf_shares_needed`: "3", `raresync_outbox_alarm`: "0", `raresync_outbox_envelopes`: "100",
	`raresync_inbox_oldest_seconds`: "3600", `raresync_inbox_filed_total{state="quarantine"}`: "70", `raresync_inbox_filed_total{state="done"}`: "0+9x100",
	`raresync_log_damaged`: "0", `raresync_peers_unreached`: "0", `raresync_clock_skew_seconds{peer="h2"}`: "0.4", `raresync_clock_skew_seconds{peer="h3"}`: "-0.2",
	`raresync_clock_skew_seconds{peer="h4"}`: "3600", // one node that is wrong makes this one no less right
	`raresync_disk_free_bytes`:               "30e9", `raresync_disk_size_bytes`: "1e12", `raresync_snapshot_pending_bytes`: "33554432",
	`raresync_audit_write_errors_total`: "0", `raresync_warnings`: "0",
}

// ills are what goes wrong, each with the alert that fires, and no other. Before
// holds for what is no reason yet.
var ills = []struct {
	alert  string
	labels string // of the alert beside instance and severity
	series map[string]string
}{
	{"RaresyncDown", `job: raresync`, map[string]string{`up{job="raresync"}`: "0"}},
	{"RaresyncDown", "-", map[string]string{`raresync_node_info{node="h1",role="voter"}`: ""}},
	{"RaresyncRootMismatch", "", map[string]string{`raresync_log_root_mismatch_total`: "0x40 1x60"}},
	{"RaresyncFork", `reason: SEQ-FORK`, map[string]string{`raresync_envelopes_refused_total{reason="SEQ-FORK"}`: "0x40 1x60"}},
	{"RaresyncFalseShare", "", map[string]string{`raresync_dleq_failures_total`: "0x40 1x60"}},
	{"RaresyncNotReady", "", map[string]string{`raresync_ready`: "0"}},
	{"RaresyncNoLeader", "", map[string]string{`raresync_raft_has_leader`: "0"}},
	{"RaresyncQuorumAtRisk", "", map[string]string{`raresync_raft_voters_reached`: "3"}},
	{"RaresyncFrequentElections", "", map[string]string{`raresync_raft_leader_changes_total`: "0+1x100"}},
	{"RaresyncCosignersFew", "", map[string]string{`raresync_log_cosigners`: "2"}},
	{"RaresyncUnconfirmed", "", map[string]string{`raresync_log_checkpoint_size`: "899"}},
	{"RaresyncCheckpointStale", "", map[string]string{`raresync_log_checkpoint_age_seconds`: "7201"}},
	{"RaresyncApplyLag", "", map[string]string{`raresync_raft_apply_lag_entries`: "1001"}},
	{"RaresyncApplyLag", "", map[string]string{`raresync_mirror_lag_entries`: "10001"}},
	{"RaresyncFollowerBehind", `peer: h2`, map[string]string{`raresync_raft_follower_behind_entries{peer="h2"}`: "1001"}},
	{"RaresyncSlowSync", "", map[string]string{
		`raresync_store_sync_duration_seconds_bucket{le="0.01"}`: "0", `raresync_store_sync_duration_seconds_bucket{le="1"}`: "0+30x100"}},
	{"RaresyncSharesBelowThreshold", "", map[string]string{`raresync_oprf_shares_available`: "2"}},
	{"RaresyncOutboxStands", "", map[string]string{`raresync_outbox_alarm`: "1"}},
	{"RaresyncOutboxStands", "", map[string]string{`raresync_outbox_envelopes`: "101"}},
	{"RaresyncInboxStuck", "", map[string]string{`raresync_inbox_oldest_seconds`: "3601"}},
	{"RaresyncQuarantineGrowing", `state: quarantine`, map[string]string{`raresync_inbox_filed_total{state="quarantine"}`: "0x40 12x60"}},
	{"RaresyncDamaged", "", map[string]string{`raresync_log_damaged`: "1"}},
	{"RaresyncPeersUnreached", "", map[string]string{`raresync_peers_unreached`: "1"}},
	{"RaresyncClockSkew", "", map[string]string{`raresync_clock_skew_seconds{peer="h2"}`: "61", `raresync_clock_skew_seconds{peer="h3"}`: "61"}},
	{"RaresyncClockSkew", "", map[string]string{`raresync_clock_skew_seconds{peer="h2"}`: "-61", `raresync_clock_skew_seconds{peer="h3"}`: "-61", `raresync_clock_skew_seconds{peer="h4"}`: "-61"}},
	{"RaresyncDiskLow", "", map[string]string{`raresync_disk_free_bytes`: "20e9", `raresync_disk_size_bytes`: "1e12"}},
	{"RaresyncSnapshotOld", "", map[string]string{`raresync_snapshot_pending_bytes`: "268435457"}},
	{"RaresyncAuditWriteErrors", "", map[string]string{`raresync_audit_write_errors_total`: "0x40 1x60"}},
	{"RaresyncWarns", "", map[string]string{`raresync_warnings`: "1"}},
}

// wells are what looks like an ill and is none.
var wells = map[string]map[string]string{
	"a mirror knows no leader":             {`raresync_node_info{node="h1",role="voter"}`: "", `raresync_node_info{node="m1",role="mirror"}`: "1", `raresync_raft_has_leader`: "0", `raresync_raft_voters_reached`: "1"},
	"the only voter of a network":          {`raresync_raft_voters`: "1", `raresync_raft_voters_reached`: "1", `raresync_log_cosigners`: "1"},
	"one of five voters is away":           {`raresync_raft_voters_reached`: "4"},
	"a small disk with plenty of room":     {`raresync_disk_free_bytes`: "10e9", `raresync_disk_size_bytes`: "20e9"},
	"a mismatch of before":                 {`raresync_log_root_mismatch_total`: "4"},
	"a network without a key needs nobody": {`raresync_oprf_shares_available`: "0", `raresync_oprf_shares_needed`: "0"},
	"not ready for eight minutes":          {`raresync_ready`: "1x61 0x39"},
	"a slow write now and then":            {`raresync_store_sync_duration_seconds_bucket{le="1"}`: "0+59.9x100", `raresync_store_sync_duration_seconds_bucket{le="0.01"}`: "0+59.9x100"},
}

// TestEachAlertFiresWhenItShould has promtool play an hour and more of each ill, and
// of what is none.
func TestEachAlertFiresWhenItShould(t *testing.T) {
	all := alerts(t)
	rules, err := filepath.Abs(rulesName)
	if err != nil {
		t.Fatal(err)
	}
	try := func(stories string) ([]byte, error) {
		path := filepath.Join(t.TempDir(), "alerts.test.yml")
		if err := os.WriteFile(path, []byte(fmt.Sprintf("rule_files: [%q]\nevaluation_interval: 1m\ntests:\n", rules)+stories), 0o600); err != nil {
			t.Fatal(err)
		}
		return promtool(t, "test", "rules", path)
	}
	stories := []string{story(all, nil, "", "")}
	for _, well := range slices.Sorted(maps.Keys(wells)) {
		stories = append(stories, story(all, wells[well], "", ""))
	}
	tried := map[string]bool{}
	for _, ill := range ills {
		stories = append(stories, story(all, ill.series, ill.alert, ill.labels))
		tried[ill.alert] = true
	}
	for name := range all {
		if !tried[name] {
			t.Errorf("no test has %s fire", name)
		}
	}
	if out, err := promtool(t, "check", "rules", rules); err != nil {
		t.Errorf("promtool check rules: %v\n%s", err, out)
	}
	if out, err := try(strings.Join(stories, "")); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}
	{ // the control: an ill that is none
		ill := ills[0]
		if out, err := try(story(all, nil, ill.alert, ill.labels)); err == nil || !strings.Contains(string(out), ill.alert) {
			t.Errorf("an alert that does not fire passed (%v):\n%s", err, out)
		}
	}
}

// story writes an hour and more in which all is well but for some series, and which of
// all alerts fires at their end.
func story(all map[string]anAlert, other map[string]string, fires, labels string) string {
	var b strings.Builder
	series := maps.Clone(healthy)
	maps.Copy(series, other)
	b.WriteString("  - interval: 1m\n    input_series:\n")
	for _, name := range slices.Sorted(maps.Keys(series)) {
		values := series[name]
		if values == "" {
			continue
		}
		if !strings.Contains(values, "x") {
			values += "x100"
		}
		at := strings.Replace(name, "{", `{instance="h1",`, 1)
		if at == name {
			at = name + `{instance="h1"}`
		}
		fmt.Fprintf(&b, "      - {series: '%s', values: '%s'}\n", at, values)
	}
	b.WriteString("    alert_rule_test:\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "      - eval_time: 70m\n        alertname: %s\n", name)
		if name != fires {
			b.WriteString("        exp_alerts: []\n")
			continue
		}
		expected := "severity: " + all[name].severity
		if labels != "-" {
			expected += ", instance: h1"
			if labels != "" {
				expected += ", " + labels
			}
		}
		fmt.Fprintf(&b, "        exp_alerts: [{exp_labels: {%s}, exp_annotations: {summary: %s}}]\n", expected, all[name].summary)
	}
	return b.String()
}
