package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
)

// proving skips a test that is run by a target of the Makefile alone.
func proving(t *testing.T, target string) {
	t.Helper()
	if os.Getenv("PROVE") != "1" {
		t.Skip("it takes minutes: make " + target)
	}
	if os.Geteuid() != 0 {
		t.Fatal("it needs root")
	}
}

// tool runs a program and returns what it printed.
func tool(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// packages builds all that hospitals get, from a clone of the project.
func packages(t *testing.T, version string) (dist, clone string) {
	t.Helper()
	clone, dist = filepath.Join(t.TempDir(), "clone"), t.TempDir()
	tool(t, "..", nil, "git", "clone", "-q", "--no-hardlinks", ".", clone)
	tool(t, clone, nil, "configs/package/build.sh", version, dist)
	return dist, clone
}

// TestThePackagesAreTheSameBytesAgain builds everything twice, in different folders,
// and the program once more from the source archive alone.
func TestThePackagesAreTheSameBytesAgain(t *testing.T) {
	proving(t, "package")
	one, _ := packages(t, "v0.0.1")
	two, _ := packages(t, "v0.0.1")
	sums, err := os.ReadFile(filepath.Join(one, "SHA256SUMS"))
	must(t, err)
	again, err := os.ReadFile(filepath.Join(two, "SHA256SUMS"))
	must(t, err)
	if lines := bytes.Count(sums, []byte("\n")); lines != 7 || !bytes.Equal(sums, again) {
		t.Errorf("%d files, want 7, the same twice:\n%s\n%s", lines, sums, again)
	}
	tool(t, one, nil, "sha256sum", "--check", "--strict", "SHA256SUMS")

	from := t.TempDir()
	tool(t, from, nil, "tar", "-xzf", filepath.Join(one, "raresync-v0.0.1-source.tar.gz"))
	tool(t, from, nil, "tar", "-xzf", filepath.Join(one, "raresync-v0.0.1-linux-amd64.tar.gz"))
	source := filepath.Join(from, "raresync-v0.0.1-source")
	tool(t, source, []string{"CGO_ENABLED=0", "GOPROXY=off", "GOFLAGS=-mod=vendor -trimpath"},
		"go", "build", "-buildvcs=false", "-ldflags", "-X main.version=v0.0.1", "-o", "../again", "./cmd/raresync")
	tool(t, from, nil, "cmp", "again", "raresync-v0.0.1-linux-amd64/raresync")
	lists := tool(t, one, nil, "rpm", "-qlp", "--dbpath", from, "raresync-0.0.1.x86_64.rpm")
	for _, file := range []string{"/usr/bin/raresync\n", "/usr/sbin/raresync-setup\n", "/usr/lib/systemd/system/raresync.service\n"} {
		if !strings.Contains(lists, file) {
			t.Errorf("the .rpm lacks %s:\n%s", file, lists)
		}
	}
}

// TestThePackageFromInstallToReceipt has an administrator install the .deb on a Debian
// that has nothing else, join a network, drop a file and get a receipt; then upgrade
// and remove it; then the archive and the .rpm in its place.
func TestThePackageFromInstallToReceipt(t *testing.T) {
	proving(t, "package")
	debian := os.Getenv("CLEAN_ROOT") // one that debootstrap made before
	if debian == "" {
		debian = filepath.Join(t.TempDir(), "debian")
		tool(t, ".", nil, "debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,rpm", "bookworm", debian)
	}
	dist, _ := packages(t, "v0.0.1")
	next, _ := packages(t, "v0.0.2")
	n := newNetwork(t, 3, 3)
	s := bootSystemd(t, n, debian)
	for _, file := range []string{
		filepath.Join(dist, "raresync_0.0.1_amd64.deb"), filepath.Join(next, "raresync_0.0.2_amd64.deb"),
		filepath.Join(dist, "raresync-0.0.1.x86_64.rpm"), filepath.Join(next, "raresync-0.0.2.x86_64.rpm"),
	} {
		raw, err := os.ReadFile(file)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(s.root, "srv", filepath.Base(file)), raw, 0o644))
	}

	s.ok("dpkg", "-i", "/srv/raresync_0.0.1_amd64.deb")
	invitation := n.invited(n.Hospitals[0])
	s.ok("raresync-setup", "join", invitation.Token, "--id", "small", "--entity", "small-vm", "--name-zh", "新医院", "--province", "51")
	if key := s.ok("stat", "-c", "%U %a", "/etc/raresync/credentials/file.key", "/var/lib/raresync", "/var/lib/raresync/keys.age"); key != "root 600\nraresync 700\nraresync 600\n" {
		t.Errorf("the node's files belong to:\n%s", key)
	}
	if _, err := os.Stat(filepath.Join(s.root, "var/lib/raresync/file.key")); err == nil {
		t.Error("the file key still lies beside what it opens")
	}
	if shown := s.show(); shown["ActiveState"] != "active" {
		t.Errorf("the service is %v", shown)
	}
	s.letIn(invitation)
	s.ready()

	s.ok("raresync-setup", "inbox")
	s.ready()
	visit := madeUpVisits(t, 1, 1)[0]
	must(t, os.WriteFile(filepath.Join(s.root, "srv/raresync-inbox/new/case.json"), visit.file.Data, 0o640))
	var done admin.InboxFile
	s.eventually("the file to be done", func() error {
		var files []admin.InboxFile
		out, err := s.inside("raresync", "inbox", "list", "-o", "json")
		if err == nil {
			err = json.Unmarshal(out, &files)
		}
		if err != nil || len(files) != 1 || files[0].State != "done" {
			return fmt.Errorf("%v %s", err, out)
		}
		done = files[0]
		return nil
	})
	if done.Entries == 0 || done.Refused != 0 {
		t.Errorf("of the file: %+v", done)
	}
	s.ok("raresync", "log", "prove", s.lastEntry(), "-f", "/srv/receipt")
	s.ok("sh", "-c", "raresync log policy >/srv/policy")
	if out := s.ok("raresync", "log", "verify", "--policy", "/srv/policy", "--proof", "/srv/receipt"); !strings.Contains(out, "COSIGNERS") {
		t.Errorf("the receipt: %s", out)
	}

	s.ok("dpkg", "-i", "/srv/raresync_0.0.2_amd64.deb")
	s.ready()
	s.runs("v0.0.2")
	s.ok("dpkg", "-r", "raresync")
	s.runsNot()
	if out := s.ok("dpkg", "-P", "raresync"); !strings.Contains(out, "the only keys") {
		t.Errorf("purged, it says %s", out)
	}
	s.ok("test", "-s", "/var/lib/raresync/keys.age", "-a", "-s", "/etc/raresync/credentials/file.key")

	s.archive(dist)
	s.rpm()
}

// rpm installs, upgrades and removes the .rpm, over the same data. Its dependencies
// are named after another distribution's packages, so that they are not looked at.
func (s *systemd) rpm() {
	s.t.Helper()
	s.ok("rpm", "-i", "--nodeps", "/srv/raresync-0.0.1.x86_64.rpm")
	s.ok("raresync-setup", "start")
	s.ready()
	s.runs("v0.0.1")
	s.ok("rpm", "-U", "--nodeps", "/srv/raresync-0.0.2.x86_64.rpm")
	s.ready()
	s.runs("v0.0.2")
	s.ok("rpm", "-e", "--nodeps", "raresync")
	s.runsNot()
	s.ok("test", "-s", "/var/lib/raresync/keys.age", "-a", "-s", "/etc/raresync/credentials/file.key")
}

// runs wants the service to run a version of the program.
func (s *systemd) runs(version string) {
	s.t.Helper()
	if exe := s.ok("sh", "-c", "$(readlink /proc/$(systemctl show -P MainPID raresync)/exe) version"); !strings.Contains(exe, version) {
		s.t.Errorf("runs %s, want %s", exe, version)
	}
}

// archive installs from the archive where the package was, over the same data.
func (s *systemd) archive(dist string) {
	s.t.Helper()
	tool(s.t, filepath.Join(s.root, "srv"), nil, "tar", "-xzf", filepath.Join(dist, "raresync-v0.0.1-linux-amd64.tar.gz"))
	s.ok("/srv/raresync-v0.0.1-linux-amd64/install.sh")
	s.ok("raresync-setup", "start")
	s.ready()
	s.ok("/srv/raresync-v0.0.1-linux-amd64/install.sh", "--remove")
	s.runsNot()
}

// runsNot wants no program of the package, and no process of it.
func (s *systemd) runsNot() {
	s.t.Helper()
	if out, err := s.inside("sh", "-c", "ls /usr/bin/raresync || ls -l /proc/[0-9]*/exe | grep raresync"); err == nil {
		s.t.Errorf("removed, there is still %s", out)
	}
}

// ok runs a command that must succeed, and returns what it printed.
func (s *systemd) ok(args ...string) string {
	s.t.Helper()
	out, err := s.inside(args...)
	if err != nil {
		log, _ := s.inside("journalctl", "-u", "raresync", "--no-pager", "-n", "30")
		s.t.Fatalf("%v: %v\n%s\n%s", args, err, out, log)
	}
	return string(out)
}

// ready waits until the node is a current copy.
func (s *systemd) ready() {
	s.t.Helper()
	s.eventually("READY", func() error {
		var st admin.Status
		out, err := s.inside("raresync", "status", "-o", "json")
		if err == nil {
			err = json.Unmarshal(out, &st)
		}
		if err != nil || !st.Ready {
			return fmt.Errorf("%v %s", err, out)
		}
		return nil
	})
}

// lastEntry is the number of the hospital's newest entry.
func (s *systemd) lastEntry() string {
	s.t.Helper()
	var list []admin.Entry
	must(s.t, json.Unmarshal([]byte(s.ok("raresync", "entry", "list", "-o", "json")), &list))
	if len(list) == 0 {
		s.t.Fatal("the node opens no entry")
	}
	return fmt.Sprint(list[len(list)-1].Index)
}

// letIn has lead hospitals approve who asked with an invitation.
func (s *systemd) letIn(invitation admin.Invited) {
	s.t.Helper()
	h := s.Hospitals
	var a admin.Approval
	out, errs, code := s.run("member", "approve", invitation.ID, "--yes", "-o", "json", "-c", h[0].Config())
	if code != 0 || json.Unmarshal(out, &a) != nil {
		s.t.Fatalf("member approve: exit code %d\n%s%s", code, out, errs)
	}
	if a = s.approve(h[1], a.Proposal.ID); a.Proposal.State != "fulfilled" {
		s.t.Fatalf("after the second approval: %+v", a)
	}
}
