package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/daemon/admin"
)

// The steps of taking a file out of the inbox.
var inboxSteps = []fault.Step{fault.InboxClaimed, fault.InboxSent, fault.InboxReported, fault.InboxMoved}

// TestADroppedFileIsTakenOnceWhateverEnds kills a hospital's daemon at a step of
// taking a file out of its inbox, and starts it again: the file is done, with its
// reports, and its patient is in the log once. It takes the step in RARESYNC_STEP,
// or draws one; PROVE=1 takes all.
func TestADroppedFileIsTakenOnceWhateverEnds(t *testing.T) {
	t.Parallel()
	steps := inboxSteps
	if only := fault.Step(os.Getenv("RARESYNC_STEP")); only != "" {
		steps = []fault.Step{only}
	} else if os.Getenv("PROVE") != "1" {
		at := rand.IntN(len(steps))
		steps = steps[at : at+1]
		t.Logf("RARESYNC_STEP=%s; PROVE=1 for all", steps[0])
	}
	path, err := crashing()
	must(t, err)
	n := foundNetworkOf(t, path, 3, 3)
	p, box := n.Hospitals[0], filepath.Join(t.TempDir(), "inbox")
	raw, err := os.ReadFile(p.Config())
	must(t, err)
	text := strings.NewReplacer(`#dir = ""`, fmt.Sprintf("dir = %q", box), `#stable = "10s"`, `stable = "1s"`).Replace(string(raw))
	must(t, os.WriteFile(p.Config(), []byte(text), 0o600))
	n.startWithin(patience)
	for i, step := range steps {
		must(t, p.Stop())
		p.Env = []string{"RARESYNC_CRASH_AT=" + string(step)}
		must(t, p.Start())
		must(t, p.WaitReady(n.ctx))
		name := fmt.Sprintf("file-%d.csv", i)
		patient := strings.Join([]string{"病案号,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态",
			fmt.Sprintf("B%d,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活", i)}, "\n")
		must(t, os.WriteFile(filepath.Join(box, "new", name), []byte(patient), 0o600))
		n.eventually(fmt.Sprintf("the end at %s", step), func() error {
			if p.Running() {
				return fmt.Errorf("it goes on")
			}
			return nil
		})
		if code := p.ExitCode(); code != byKernel {
			t.Fatalf("%s: ended with exit code %d: %s", step, code, lastWords(p.Log()))
		}
		p.Env = nil
		must(t, p.Start())
		must(t, p.WaitReady(n.ctx))
		n.eventually(fmt.Sprintf("%s done after the end at %s", name, step), func() error { return n.isDone(p.Client, box, name) })
		if cases := len(n.entries(p)); cases != i+1 {
			t.Errorf("%s: the log has %d entries of the hospital, want %d", step, cases, i+1)
		}
	}
}

// isDone tells what an inbox lacks until a file is done, with its reports.
func (n *network) isDone(c *admin.Client, box, name string) error {
	got, err := c.Inbox(n.ctx)
	if err != nil {
		return err
	}
	for _, f := range got.Files {
		if f.Name != name || f.State != "done" {
			continue
		}
		report, err := os.ReadFile(filepath.Join(box, f.Report))
		if err == nil && (f.Rows != 1 || f.Entries != 1 || !strings.Contains(string(report), name)) {
			err = fmt.Errorf("the inbox says %+v, the report %s", f, report)
		}
		return err
	}
	return fmt.Errorf("the inbox holds %+v: %s", got.Files, got.Problem)
}
