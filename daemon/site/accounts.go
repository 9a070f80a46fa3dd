package site

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/password"
)

// Admin is the role of every site that keeps its accounts.
const Admin = "admin"

// Errors of accounts.
var (
	ErrAccountName = errors.New("an account's name has 1 to 32 of a-z 0-9 . _ - and begins with a letter or digit")
	ErrRole        = errors.New("there is no such role here")
	ErrLimit       = errors.New("an account of this role is not limited to a province, or that is none")
	ErrPassword    = fmt.Errorf("a password has %d to %d characters and is not the account's name", minPassword, maxPassword)
	ErrThere       = errors.New("there is an account of that name")
	ErrNoAccount   = errors.New("there is no account of that name")
	ErrLastAdmin   = errors.New("it is the last account that can keep the others")
)

const (
	minPassword, maxPassword = 12, 128 // characters
	maxAccounts              = 1000
	accountsFormat           = 1
)

var (
	accountName  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)
	provinceCode = regexp.MustCompile(`^[1-8][0-9]$`)
)

// An Account may sign in to a site.
type Account struct {
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Province string    `json:"province,omitempty"` // two digits of GB/T 2260 that it is limited to; "": none
	Locked   bool      `json:"locked,omitempty"`
	Created  time.Time `json:"created"`
	Hash     string    `json:"hash"` // of the password
}

// Accounts are those in a file, of mode 0600. Commands and the daemon may use the
// file at the same time: changes exclude each other, and a look that finds another
// file reads it again. It is safe for concurrent use.
type Accounts struct {
	path   string
	roles  []string
	limits string // the role whose accounts may be limited to a province; "": none
	params password.Params

	mu   sync.Mutex // guards what follows
	seen os.FileInfo
	list []Account
}

// A Kind of site says who may have an account there.
type Kind struct {
	Name    string   // of the site, and of its folder in the data directory
	Roles   []string // Admin among them
	Limited string   // the role whose accounts may be limited to a province; "": none
}

// AccountsIn returns the accounts of a site of a node's data directory, whether or
// not there are any.
func AccountsIn(dataDir string, k Kind, p password.Params) *Accounts {
	return &Accounts{path: filepath.Join(dataDir, k.Name, "accounts"), roles: k.Roles, limits: k.Limited, params: p}
}

// List returns the accounts by name.
func (a *Accounts) List() ([]Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.read(); err != nil {
		return nil, err
	}
	return slices.Clone(a.list), nil
}

// Get returns an account, or ErrNoAccount.
func (a *Accounts) Get(name string) (Account, error) {
	list, err := a.List()
	if err != nil {
		return Account{}, err
	}
	if i := indexOf(list, name); i >= 0 {
		return list[i], nil
	}
	return Account{}, fmt.Errorf("account %.32q: %w", name, ErrNoAccount)
}

func indexOf(list []Account, name string) int {
	return slices.IndexFunc(list, func(one Account) bool { return one.Name == name })
}

// read reads the file if it is another than before. The caller holds mu.
func (a *Accounts) read() error {
	info, err := os.Stat(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		a.seen, a.list = nil, nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	if a.seen != nil && os.SameFile(a.seen, info) && a.seen.ModTime().Equal(info.ModTime()) && a.seen.Size() == info.Size() {
		return nil
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("accounts: %s: others may read it: chmod 600", a.path)
	}
	raw, err := ledger.ReadFileDurable(a.path)
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	var in struct {
		Format   int       `json:"format"`
		Accounts []Account `json:"accounts"`
	}
	if err := json.Unmarshal(raw, &in); err != nil || in.Format != accountsFormat {
		return fmt.Errorf("accounts: %s is of no format that this release reads", a.path)
	}
	a.seen, a.list = info, in.Accounts
	return nil
}

// change lets f change the list, while nobody else does, and writes it.
func (a *Accounts) change(f func(list []Account) ([]Account, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(a.path), 0o700); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	lock, err := os.OpenFile(a.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	if err := a.read(); err != nil {
		return err
	}
	list, err := f(slices.Clone(a.list))
	if err != nil {
		return err
	}
	slices.SortFunc(list, func(x, y Account) int { return strings.Compare(x.Name, y.Name) })
	raw, err := json.Marshal(map[string]any{"format": accountsFormat, "accounts": list})
	if err != nil {
		return err
	}
	if err := ledger.WriteFileDurable(a.path, raw); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	a.seen = nil // read again: the file is another
	return a.give()
}

// give gives the files to who owns the data directory, where root made them: the
// daemon could not read them else.
func (a *Accounts) give() error {
	if os.Geteuid() != 0 {
		return nil
	}
	dir := filepath.Dir(a.path)
	info, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	for _, path := range []string{dir, a.path, a.path + ".lock"} {
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("accounts: %w", err)
		}
	}
	return nil
}

// CheckPassword returns ErrPassword for one that is too short, too long or the
// account's name.
func CheckPassword(name, text string) error {
	n := utf8.RuneCountInString(text)
	if n < minPassword || n > maxPassword || strings.EqualFold(text, name) {
		return ErrPassword
	}
	return nil
}

// Add adds an account, limited to a province unless that is "".
func (a *Accounts) Add(name, role, province, text string, now time.Time) error {
	switch {
	case !accountName.MatchString(name):
		return ErrAccountName
	case !slices.Contains(a.roles, role):
		return ErrRole
	case province != "" && (role != a.limits || !provinceCode.MatchString(province)):
		return ErrLimit
	}
	hash, err := a.hash(name, text)
	if err != nil {
		return err
	}
	return a.change(func(list []Account) ([]Account, error) {
		switch {
		case indexOf(list, name) >= 0:
			return nil, fmt.Errorf("account %s: %w", name, ErrThere)
		case len(list) >= maxAccounts:
			return nil, fmt.Errorf("account %s: there are %d already", name, len(list))
		}
		return append(list, Account{Name: name, Role: role, Province: province, Created: now.UTC().Truncate(time.Second), Hash: hash}), nil
	})
}

func (a *Accounts) hash(name, text string) (string, error) {
	if err := CheckPassword(name, text); err != nil {
		return "", err
	}
	return password.Hash(text, a.params)
}

// SetPassword gives an account another password, which ends its sessions.
func (a *Accounts) SetPassword(name, text string) error {
	hash, err := a.hash(name, text)
	if err != nil {
		return err
	}
	return a.update(name, func(one *Account) { one.Hash = hash })
}

// Lock keeps an account from signing in and ends its sessions, or lets it in again.
func (a *Accounts) Lock(name string, locked bool) error {
	return a.update(name, func(one *Account) { one.Locked = locked })
}

func (a *Accounts) update(name string, f func(*Account)) error {
	return a.change(func(list []Account) ([]Account, error) {
		i := indexOf(list, name)
		if i < 0 {
			return nil, fmt.Errorf("account %.32q: %w", name, ErrNoAccount)
		}
		f(&list[i])
		return list, nil
	})
}

// Remove removes an account. What it has delivered expires as it would have.
func (a *Accounts) Remove(name string) error {
	return a.change(func(list []Account) ([]Account, error) {
		i := indexOf(list, name)
		if i < 0 {
			return nil, fmt.Errorf("account %.32q: %w", name, ErrNoAccount)
		}
		return slices.Delete(list, i, i+1), nil
	})
}

// othersKeep reports whether another account than the named one can keep accounts.
func (a *Accounts) othersKeep(name string) (bool, error) {
	list, err := a.List()
	return slices.ContainsFunc(list, func(one Account) bool { return one.Role == Admin && !one.Locked && one.Name != name }), err
}
