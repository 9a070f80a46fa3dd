package site

import (
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/password"
)

const rightPassword = "correct horse battery"

// clock goes on when it is told to.
type clock struct{ at time.Time }

func (c *clock) clock() time.Time      { return c.at }
func (c *clock) later(d time.Duration) { c.at = c.at.Add(d) }

func TestFailuresMakeAnAccountAndAnAddressWait(t *testing.T) {
	w := &clock{at: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	accounts := AccountsIn(t.TempDir(), Kind{Name: "site", Roles: []string{"clerk", Admin}}, password.Params{Time: 1, MemoryKiB: 64, Threads: 1})
	for _, name := range []string{"bo", "cy"} {
		if err := accounts.Add(name, "clerk", "", rightPassword, w.clock()); err != nil {
			t.Fatal(err)
		}
	}
	d, err := newDoor(accounts, w.clock)
	if err != nil {
		t.Fatal(err)
	}
	try := func(name, text, from string) error {
		_, err := d.enter(t.Context(), name, text, from)
		return err
	}
	for i := range freeTries {
		if err := try("bo", "wrong password", "10.0.0.1:1"); err != errWrong {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	waits := func(name, from string) time.Duration {
		if wait, ok := try(name, rightPassword, from).(waitError); ok {
			return wait.until.Sub(w.clock())
		}
		return 0
	}
	if a, b, c := waits("bo", "10.0.0.2:1"), waits("cy", "10.0.0.1:2"), waits("cy", "10.0.0.2:2"); a != firstWait || b != firstWait || c != 0 {
		t.Errorf("the account waits %s, the address %s, another of both %s", a, b, c)
	}
	for want := 2 * firstWait; want < longestWait; want *= 2 {
		w.later(longestWait)
		if err := try("bo", "wrong password", "10.0.0.1:1"); err != errWrong {
			t.Fatal(err)
		}
		if got := waits("bo", "10.0.0.9:1"); got != want {
			t.Errorf("the account waits %s, want %s", got, want)
		}
	}
	w.later(longestWait)
	if err := try("bo", rightPassword, "10.0.0.1:1"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := try("bo", "wrong password", "10.0.0.1:1"); err != errWrong || waits("bo", "10.0.0.1:1") != 0 {
		t.Error("failures from before a success count")
	}
	for range freeTries {
		_ = try("nobody", rightPassword, "[2001:db8::1]:1")
	}
	if waits("nobody", "10.0.0.3:1") == 0 || waits("cy", "[2001:db8::2]:1") == 0 || waits("cy", "[2001:db8:0:1::2]:1") != 0 {
		t.Error("a name that there is not, or a network, does not wait as others do")
	}
	for i := range maxWatched + 50 {
		d.failed([]string{"address " + strings.Repeat("x", i%7) + string(rune(i))})
	}
	if len(d.failures) > maxWatched {
		t.Errorf("%d are watched", len(d.failures))
	}
}
