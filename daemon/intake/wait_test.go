package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/daemon/spool"
	"github.com/raresync/raresync/registry/entry"
)

// rationed are holders that evaluate so many a day.
type rationed struct {
	holders
	left int
}

func (r *rationed) Pseudonyms(ctx context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error) {
	if len(identities) > r.left {
		return nil, fmt.Errorf("%w: %d of 10 are left", quota.ErrOver, r.left)
	}
	r.left -= len(identities)
	return r.holders.Pseudonyms(ctx, identities)
}

// waitingDesk is a desk with a spool, over a directory, and rationed holders.
type waitingDesk struct {
	desk
	rationed *rationed
	spool    *spool.Spool
	dir      string
	key      *seal.ReaderPrivate
	logged   bytes.Buffer
	quota    uint64
}

func newWaitingDesk(t *testing.T) *waitingDesk {
	t.Helper()
	key, err := seal.GenerateReader()
	if err != nil {
		t.Fatal(err)
	}
	d := &waitingDesk{rationed: &rationed{left: 10}, dir: filepath.Join(t.TempDir(), "spool"), key: key, quota: 10}
	d.desk.posted = &posted{known: map[[32]byte]bool{}}
	d.restart(t)
	return d
}

// restart opens spool and intake as a killed process left them.
func (d *waitingDesk) restart(t *testing.T) {
	t.Helper()
	s, err := spool.Open(spool.Config{Dir: d.dir, Sealing: d.key, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	d.spool = s
	before := d.desk.posted
	d.desk = newDesk(func(c *Config) {
		c.Pseudonymiser, c.Spool, c.Outbox = d.rationed, s, before
		c.Quota = func() uint64 { return d.quota }
		c.Logger = slog.New(slog.NewTextHandler(&d.logged, nil))
	})
	d.desk.posted = before
}

// resume goes on and says how many files wait still.
func (d *waitingDesk) resume(t *testing.T) int {
	t.Helper()
	waiting, err := d.Resume(t.Context())
	files, _ := d.spool.Waiting()
	if err != nil || waiting != (files > 0) {
		t.Fatalf("%d files wait, says %v, %v", files, waiting, err)
	}
	return files
}

func outcomes(results []Result) map[Outcome]int {
	count := map[Outcome]int{}
	for _, r := range results {
		count[r.Outcome]++
	}
	return count
}

func TestFilesOverQuotaWaitSealedAndGoOnAnotherDay(t *testing.T) {
	d := newWaitingDesk(t)
	files := made(24)
	results := d.take(t, files...)
	if got := outcomes(results); got[Accepted] != 10 || got[Waiting] != 14 || len(d.posted.groups) != 10 {
		t.Fatalf("on the first day %v, %d files posted", got, len(d.posted.groups))
	}
	if results[9].Outcome != Accepted || results[10].Outcome != Waiting || len(results[10].Entries) != 0 {
		t.Errorf("not in order: %s, %s", results[9].Outcome, results[10].Outcome)
	}
	for day, want := range []int{14, 4, 0, 0} {
		d.restart(t)
		if got := d.resume(t); got != want {
			t.Errorf("on day %d %d files wait, want %d", day, got, want)
		}
		d.rationed.left = 10
	}
	if len(d.posted.groups) != 24 {
		t.Errorf("%d of 24 files were posted", len(d.posted.groups))
	}
	for i, r := range d.take(t, files[20:]...) {
		if r.Outcome != Known {
			t.Errorf("file %d submitted again is %s", i, r.Outcome)
		}
	}
}

func TestFilesThatNeedNoHolderDoNotWait(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	alone := made(1)[0]
	alone.Identities = nil
	if got := d.take(t, alone, made(2)[1]); got[0].Outcome != Waiting || got[1].Outcome != Waiting {
		t.Errorf("with one that does in one lot: %s, %s", got[0].Outcome, got[1].Outcome)
	}
	if got := d.take(t, alone); got[0].Outcome != Accepted {
		t.Errorf("a file under a local number is %s", got[0].Outcome)
	}
}

func TestNothingThatWaitsIsReadableOnTheDisk(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	file := made(1)[0]
	number := file.Identities["patient-000001"].Value
	if got := d.take(t, file); got[0].Outcome != Waiting {
		t.Fatalf("got %s", got[0].Outcome)
	}
	seen := 0
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, planted := range []string{number, "patient-000001", "phenotypicFeatures"} {
			if bytes.Contains(raw, []byte(planted)) {
				t.Errorf("%q is in %s", planted, path)
			}
		}
		seen++
		return err
	})
	if err != nil || seen != 1 {
		t.Errorf("%d files were looked at, %v", seen, err)
	}
	d.rationed.left = 10
	if d.resume(t) != 0 || len(d.rationed.calls) != 1 || !bytes.Contains(d.rationed.calls[0][0], []byte(number)) {
		t.Errorf("the number did not come back from the spool: %d calls", len(d.rationed.calls))
	}
	if bytes.Contains(d.logged.Bytes(), []byte(number)) || !bytes.Contains(d.logged.Bytes(), []byte("accepted=1")) {
		t.Errorf("the log says %s", d.logged.String())
	}
}

func TestTheSameFilesWaitOnceAndTheirProfileWithThem(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	for range 3 {
		if _, err := d.Take(t.Context(), made(3), entry.Cohort); err != nil {
			t.Fatal(err)
		}
	}
	if files, _ := d.spool.Waiting(); files != 3 {
		t.Errorf("%d files wait, want 3", files)
	}
	d.rationed.left = 10
	if d.resume(t) != 0 {
		t.Error("they wait still")
	}
	for _, e := range d.posted.entries(t) {
		if e.Profile != entry.Cohort {
			t.Errorf("a %s has profile %v", e.Type, e.Profile)
		}
	}
}

// TestACrashBetweenOutboxAndSpoolAddsNothingTwice is one in which the outbox has
// the entries and the spool still has the files.
func TestACrashBetweenOutboxAndSpoolAddsNothingTwice(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	d.take(t, made(3)...)
	d.rationed.left = 10
	stuck := &unremoved{Spool: d.spool}
	d.cfg.Spool = stuck
	if _, err := d.Resume(t.Context()); !errors.Is(err, errCrash) || len(d.posted.groups) != 3 {
		t.Fatalf("%v, %d files posted", err, len(d.posted.groups))
	}
	d.restart(t)
	before := len(d.posted.known)
	if d.resume(t) != 0 || len(d.posted.known) != before {
		t.Errorf("%d entries are known after the crash, %d before it", len(d.posted.known), before)
	}
}

var errCrash = errors.New("killed")

type unremoved struct{ Spool }

func (unremoved) Remove(spool.Lot) error { return errCrash }

func TestWhatFailsLeavesTheFilesWhereTheyAre(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	d.take(t, made(3)...)
	d.rationed.left, d.rationed.err = 10, errors.New("too few")
	if waiting, err := d.Resume(t.Context()); !waiting || !errors.Is(err, d.rationed.err) {
		t.Errorf("without holders: %v, %v", waiting, err)
	}
	d.rationed.err, d.posted.err = nil, errors.New("disk")
	if _, err := d.Resume(t.Context()); !errors.Is(err, d.posted.err) {
		t.Errorf("without a disk: %v", err)
	}
	d.posted.err, d.rationed.left = nil, 10
	if files, _ := d.spool.Waiting(); files != 3 || d.resume(t) != 0 || len(d.posted.groups) != 3 {
		t.Errorf("%d files waited, %d were posted", files, len(d.posted.groups))
	}
}

func TestASmallerQuotaStillLetsEveryFileThrough(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left, d.quota = 0, 1000
	d.take(t, made(9)...) // one lot
	d.quota = 4
	for day := range 4 {
		d.rationed.left = 4
		if left, want := d.resume(t), max(0, 9-4*(day+1)); left != want {
			t.Errorf("on day %d %d files wait, want %d", day, left, want)
		}
	}
	if len(d.posted.groups) != 9 {
		t.Errorf("%d of 9 files were posted", len(d.posted.groups))
	}
}

func TestAFileThatNoDaysQuotaCoversIsRefusedAtOnce(t *testing.T) {
	d := newWaitingDesk(t)
	d.quota = 0
	if _, err := d.Take(t.Context(), made(1), 0); !errors.Is(err, ErrTooMany) || len(d.posted.groups) != 0 {
		t.Errorf("got %v", err)
	}
	if files, _ := d.spool.Waiting(); files != 0 {
		t.Errorf("%d files wait", files)
	}
}

// An allowance ends while a file waits that is named after its patient: the
// error stood in the log, again and again, with the name.
func TestAFileThatWaitsWhenTheQuotaFallsIsNamedToNobody(t *testing.T) {
	d := newWaitingDesk(t)
	d.rationed.left = 0
	file := made(1)[0]
	file.Name = "Zhang-Sanfeng.json"
	if got := d.take(t, file)[0]; got.Outcome != Waiting {
		t.Fatalf("%s with %v, want waiting", got.Outcome, got.Findings)
	}
	d.quota = 0
	if left := d.resume(t); left != 1 || strings.Contains(d.logged.String(), "Zhang") {
		t.Errorf("%d files wait, and the log says %s", left, &d.logged)
	}
	d.quota, d.rationed.left = 10, 10
	if left := d.resume(t); left != 0 || len(d.posted.groups) != 1 {
		t.Errorf("%d files wait with a quota that is enough", left)
	}
}

func TestWithoutASpoolOverQuotaIsAnError(t *testing.T) {
	r := &rationed{}
	d := newDesk(func(c *Config) { c.Pseudonymiser = r })
	if _, err := d.Take(t.Context(), made(1), 0); !errors.Is(err, quota.ErrOver) {
		t.Errorf("got %v", err)
	}
}
