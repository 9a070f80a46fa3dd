package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// filesOverQuota are more than the share holders' quota of the day: some wait
// sealed. The origin is then killed and started again, with files under way.
func (w *canaryWorld) filesOverQuota(o *origin) {
	w.t.Helper()
	w.wants(0, o.Process, "", "submit", w.lay(o, "late", o.late), "--identities", w.identities(o, "late.csv", o.late), "--no-wait")
	s, err := o.Client.Status(w.ctx)
	must(w.t, err)
	if s.Waiting == 0 {
		w.t.Errorf("no file of %s waits for quota", o.Node)
	}
}

// waitingFilesGoOn has lead hospitals allow an origin more, so that what waits
// goes on by itself.
func (w *canaryWorld) waitingFilesGoOn(o *origin) {
	w.t.Helper()
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	said := w.wants(0, w.Hospitals[0], "", "act", "propose", "allowance", "--hospital", fmt.Sprint(o.Number), "--persons", "1000", "--to", tomorrow, "-o", "json")
	var proposed admin.Proposal
	must(w.t, json.Unmarshal(said[bytes.IndexByte(said, '{'):], &proposed))
	for _, p := range w.Hospitals[:proposed.Needed] {
		w.approve(p, proposed.ID)
	}
	ctx, cancel := context.WithTimeout(w.ctx, resumeTime)
	defer cancel()
	if _, err := o.WaitStatus(ctx, func(s admin.Status) bool { return s.Waiting == 0 }); err != nil {
		w.t.Errorf("files of %s that waited for quota do not go on: %v", o.Node, err)
	}
}

// resumeTime is how long files may wait after they are allowed.
const resumeTime = 20 * time.Second

// diesWithPatients has an origin take a file, stops the share holders so that it
// cannot end it, and sends a signal in the middle.
func (w *canaryWorld) diesWithPatients(o *origin, sig syscall.Signal) {
	w.t.Helper()
	var holders []*demo.Process
	for _, p := range w.Hospitals[:canaryVoters] {
		if p != o.Process {
			holders = append(holders, p)
		}
	}
	for _, p := range holders {
		must(w.t, syscall.Kill(p.PID(), syscall.SIGSTOP))
	}
	asked := filepath.Join(o.Dir, "asked")
	before := modified(asked)
	ended := make(chan error, 1)
	var s admin.Submission
	for _, name := range slices.Sorted(maps.Keys(o.good)) {
		s.Files = append(s.Files, admin.File{Name: name, Data: bytes.ReplaceAll(o.good[name], []byte("2013-02-11"), []byte("2013-02-12")), Identities: o.documentsIn(name)})
	}
	go func() {
		_, err := o.Client.Submit(w.ctx, s)
		ended <- err
	}()
	w.eventually("asking for pseudonyms at "+o.Node, func() error {
		if modified(asked) == before {
			return errors.New("nothing is noted yet")
		}
		return nil
	})
	must(w.t, syscall.Kill(o.PID(), sig))
	if err := <-ended; err == nil {
		w.t.Errorf("%s took files although the holders were stopped", o.Node)
	}
	w.eventually("the end of "+o.Node, func() error {
		if o.Running() {
			return errors.New("it runs")
		}
		return nil
	})
	for _, p := range holders {
		must(w.t, syscall.Kill(p.PID(), syscall.SIGCONT))
	}
	w.launch(o.Process)
	must(w.t, o.WaitReady(w.ctx))
}

// modified tells one state of a file from another.
func modified(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "not there"
	}
	return fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size())
}
