package site

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/password"
)

// Errors of signing in. Which account there is they do not tell.
var (
	errWrong = errors.New("the name or the password is wrong, or the account is locked")
	errBusy  = errors.New("too many people are signing in")
)

// waitError says that nobody may try for a while.
type waitError struct{ until time.Time }

func (e waitError) Error() string { return "too many failures" }

const (
	freeTries    = 5                // failures before anybody waits
	firstWait    = 30 * time.Second // then, doubled with each more
	longestWait  = 15 * time.Minute
	forgetAfter  = time.Hour // a failure
	maxWatched   = 4096      // accounts and addresses
	hashesAtOnce = 2         // each takes memory
	hashPatience = 10 * time.Second

	maxSessions = 1000
	ownSessions = 5 // of one account
	tokenBytes  = 32
)

// A session ends when it idles, and after a working day.
const (
	IdleTime   = 30 * time.Minute
	WorkingDay = 10 * time.Hour
)

// watched is how often somebody failed.
type watched struct {
	failed int
	last   time.Time
	until  time.Time
}

// session is somebody who is signed in.
type session struct {
	account     string
	hash        string // of the account's password when it began
	began, seen time.Time
}

// door lets accounts in.
type door struct {
	accounts *Accounts
	now      func() time.Time
	nobody   string        // a hash of nothing, for names that there are not
	hashing  chan struct{} // holds one for each hash that is made

	mu       sync.Mutex // guards what follows
	failures map[string]*watched
	sessions map[[32]byte]*session // by the hash of the token
}

func newDoor(a *Accounts, now func() time.Time) (*door, error) {
	random := make([]byte, tokenBytes)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	nobody, err := password.Hash(string(random), a.params)
	return &door{
		accounts: a, now: now, nobody: nobody, hashing: make(chan struct{}, hashesAtOnce),
		failures: map[string]*watched{}, sessions: map[[32]byte]*session{},
	}, err
}

// keysOf returns under what failures are counted: the name, and the address or, of
// IPv6, its network.
func keysOf(name, remote string) []string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() && !ip.Is4In6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil {
			host = network.String()
		}
	}
	if !accountName.MatchString(name) {
		name = "" // no account has it: all such count together
	}
	return []string{"account " + name, "address " + host}
}

// enter checks a password and begins a session. It works as long for a name that
// there is not. The error is waitError, errWrong or errBusy, or that of the file.
func (d *door) enter(ctx context.Context, name, typed, remote string) (token string, err error) {
	keys := keysOf(name, remote)
	account, err := d.accounts.Get(name)
	there := err == nil
	if err != nil && !errors.Is(err, ErrNoAccount) {
		return "", err
	}
	stored := d.nobody
	if there {
		stored = account.Hash
	}
	ok, err := d.verify(ctx, keys, stored, typed)
	if err != nil {
		return "", err
	}
	if !ok || !there || account.Locked {
		d.failed(keys)
		return "", errWrong
	}
	return d.begin(account, keys)
}

// verify compares, unless there were too many failures, also while it waited for
// its turn.
func (d *door) verify(ctx context.Context, keys []string, stored, typed string) (bool, error) {
	if until := d.waits(keys); !until.IsZero() {
		return false, waitError{until}
	}
	ctx, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	select {
	case d.hashing <- struct{}{}:
		defer func() { <-d.hashing }()
		if until := d.waits(keys); !until.IsZero() {
			return false, waitError{until}
		}
		if len(typed) > 4*maxPassword {
			typed = ""
		}
		return password.Verify(stored, typed)
	case <-ctx.Done():
		return false, errBusy
	}
}

// waits returns until when nobody may try under any of the keys, or zero.
func (d *door) waits(keys []string) (until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for _, key := range keys {
		if w := d.failures[key]; w != nil && now.Before(w.until) && w.until.After(until) {
			until = w.until
		}
	}
	return until
}

func (d *door) failed(keys []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for _, key := range keys {
		w := d.failures[key]
		if w == nil || now.Sub(w.last) > forgetAfter {
			d.makeRoom(now)
			w = &watched{}
			d.failures[key] = w
		}
		w.failed++
		w.last = now
		if more := w.failed - freeTries; more >= 0 {
			w.until = now.Add(min(firstWait<<min(more, 10), longestWait))
		}
	}
}

// makeRoom forgets the failures that are old, or else the oldest. The caller holds
// mu.
func (d *door) makeRoom(now time.Time) {
	if len(d.failures) < maxWatched {
		return
	}
	oldest := ""
	for key, w := range d.failures {
		if now.Sub(w.last) > forgetAfter {
			delete(d.failures, key)
		} else if oldest == "" || w.last.Before(d.failures[oldest].last) {
			oldest = key
		}
	}
	if len(d.failures) >= maxWatched {
		delete(d.failures, oldest)
	}
}

// begin begins a session, in place of the account's oldest if it has many.
func (d *door) begin(a Account, keys []string) (string, error) {
	raw := make([]byte, tokenBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, key := range keys {
		delete(d.failures, key)
	}
	now := d.now()
	var first [32]byte
	own := 0
	for id, s := range d.sessions {
		switch {
		case d.over(s, now):
			delete(d.sessions, id)
		case s.account == a.Name:
			if own++; own == 1 || s.began.Before(d.sessions[first].began) {
				first = id
			}
		}
	}
	if own >= ownSessions {
		delete(d.sessions, first)
	}
	if len(d.sessions) >= maxSessions {
		return "", errBusy
	}
	token := base64.RawURLEncoding.EncodeToString(raw)
	d.sessions[sha256.Sum256([]byte(token))] = &session{account: a.Name, hash: a.Hash, began: now, seen: now}
	return token, nil
}

func (d *door) over(s *session, now time.Time) bool {
	return now.Sub(s.seen) > IdleTime || now.Sub(s.began) > WorkingDay
}

// who returns the account of a token's session, if it goes on.
func (d *door) who(token string) (a Account, ok bool) {
	id := sha256.Sum256([]byte(token))
	d.mu.Lock()
	s := d.sessions[id]
	if s == nil || d.over(s, d.now()) {
		delete(d.sessions, id)
		d.mu.Unlock()
		return Account{}, false
	}
	s.seen = d.now()
	name, hash := s.account, s.hash
	d.mu.Unlock()
	a, err := d.accounts.Get(name)
	if err != nil || a.Locked || a.Hash != hash {
		d.leave(token)
		return Account{}, false
	}
	return a, true
}

// leave ends a session.
func (d *door) leave(token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, sha256.Sum256([]byte(token)))
}
