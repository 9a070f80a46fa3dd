package page

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/delivery"
)

// state is how far a delivery is.
type state string

const (
	checking state = "checking" // the preview is made
	checked  state = "checked"  // the clerk decides
	sending  state = "sending"
	stuck    state = "stuck" // what was sent is safe; it can be sent again
	done     state = "done"
)

const (
	keptLabel = "raresync/v1/page/kept"

	stagedFor      = time.Hour // without a confirmation
	ownStaged      = 5         // of one account
	maxStaged      = 20
	maxStagedBytes = int64(512 << 20)
	maxShown       = 500 // findings on a page
	maxKeptFiles   = 32 << 20
)

// Errors of deliveries.
var (
	errSealed = errors.New("sealed to a key that is not on this node")
	errNone   = errors.New("there is no such delivery")
	errFull   = errors.New("too many files wait for a confirmation")
	errNow    = errors.New("this is not to be done with the delivery now")
)

// Delivery is a file on its way, or what became of one. What is shown of it names
// no patient but, perhaps, the file.
type Delivery struct {
	ID       string          `json:"id"`
	Owner    string          `json:"owner"`
	File     string          `json:"file"`
	Uploaded time.Time       `json:"uploaded"`
	Ended    time.Time       `json:"ended"`
	Report   delivery.Report `json:"report"`
	Rejects  [][]byte        `json:"rejects,omitempty"` // as delivery.RejectFile has them, masked
	Indexes  [][2]uint64     `json:"indexes,omitempty"` // runs of entries under a receipt: first and count
	Before   int             `json:"before,omitempty"`  // entries that the log had before
	Later    int             `json:"later,omitempty"`   // entries that have no receipt yet
	More     int             `json:"more,omitempty"`    // findings that are not kept

	State   state  `json:"-"`
	Problem string `json:"-"` // why it is stuck
	bytes   int64  // of the upload
	papers  bool   // a file of identities came with it
	sent    int    // patients that the intake has taken so far
}

// desk keeps deliveries.
type desk struct {
	dir     string
	staging offline.Key // of this process alone
	sealing func() []*seal.ReaderPrivate
	keep    time.Duration
	now     func() time.Time

	mu   sync.Mutex // guards what follows, and the fields of the deliveries
	list map[string]*Delivery
}

// openDesk reads what is kept. Uploads that a former process left are destroyed;
// nobody can open them.
func openDesk(dir string, sealing func() []*seal.ReaderPrivate, keep time.Duration, now func() time.Time) (*desk, error) {
	d := &desk{dir: dir, sealing: sealing, keep: keep, now: now, list: map[string]*Delivery{}}
	var err error
	if d.staging, err = offline.NewKey(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.keptPath(""), 0o700); err != nil {
		return nil, err
	}
	if err := ledger.DestroyFiles(d.stagedPath("")); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(d.stagedPath(""), 0o700); err != nil {
		return nil, err
	}
	if err := ledger.DestroyUnfinished(d.keptPath("")); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(d.keptPath(""))
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		one, err := d.read(f.Name())
		if errors.Is(err, errSealed) || errors.Is(err, ledger.ErrDamaged) {
			continue // sealed to a key that is gone: it expires by its file's time
		}
		if err != nil {
			return nil, err
		}
		d.list[one.ID] = one.summary()
	}
	return d, nil
}

func (d *desk) stagedPath(id string) string { return filepath.Join(d.dir, "staged", id) }
func (d *desk) keptPath(id string) string   { return filepath.Join(d.dir, "kept", id) }

// summary is what of a delivery stays in memory once it is kept on disk.
func (one *Delivery) summary() *Delivery {
	s := *one
	s.State, s.Rejects, s.Report.Findings, s.Report.Entries = done, nil, nil, nil
	return &s
}

// read opens a kept delivery, with the present sealing key or a former one.
func (d *desk) read(id string) (*Delivery, error) {
	sealed, err := ledger.ReadFileDurable(d.keptPath(id))
	if err != nil {
		return nil, err
	}
	var raw []byte
	for _, key := range d.sealing() {
		if raw, err = key.OpenMessage(keptLabel, sealed); err == nil {
			break
		}
	}
	if raw == nil {
		return nil, fmt.Errorf("delivery %s: %w", id, errSealed)
	}
	one := &Delivery{State: done}
	if err := json.Unmarshal(raw, one); err != nil || one.ID != id {
		return nil, fmt.Errorf("delivery %s: %w", id, ledger.ErrDamaged)
	}
	return one, nil
}

// stage takes a file that was received under an id, and returns its delivery, which
// is to be checked. papers says that identities were received beside it.
func (d *desk) stage(owner, id, name string, size int64, papers bool) (Delivery, error) {
	one := &Delivery{ID: id, Owner: owner, File: plainName(name), Uploaded: d.now(), State: checking, bytes: size, papers: papers}
	d.mu.Lock()
	defer d.mu.Unlock()
	own, all, bytes := 0, 0, size
	for _, other := range d.list {
		if other.State != done {
			all, bytes = all+1, bytes+other.bytes
			if other.Owner == owner {
				own++
			}
		}
	}
	if own >= ownStaged || all >= maxStaged || bytes > maxStagedBytes {
		return Delivery{}, errFull
	}
	d.list[one.ID] = one
	return *one, nil
}

// of returns an account's deliveries, the newest first.
func (d *desk) of(owner string) (list []Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range d.list {
		if one.Owner == owner {
			list = append(list, *one)
		}
	}
	slices.SortFunc(list, func(a, b Delivery) int { return cmp.Or(b.Uploaded.Compare(a.Uploaded), strings.Compare(a.ID, b.ID)) })
	return list
}

// get returns an account's delivery as it stands, or errNone.
func (d *desk) get(owner, id string) (Delivery, error) {
	d.mu.Lock()
	one := d.list[id]
	if one == nil || one.Owner != owner {
		d.mu.Unlock()
		return Delivery{}, errNone
	}
	now := *one
	d.mu.Unlock()
	if now.State != done {
		return now, nil
	}
	kept, err := d.read(id)
	if errors.Is(err, fs.ErrNotExist) { // it expired meanwhile
		return Delivery{}, errNone
	}
	if err != nil {
		return Delivery{}, err
	}
	return *kept, nil
}

// move takes a delivery from one of some states into another; errNow if it is in
// none of them.
func (d *desk) move(owner, id string, to state, from ...state) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.list[id]
	switch {
	case one == nil || one.Owner != owner:
		return errNone
	case !slices.Contains(from, one.State):
		return errNow
	}
	one.State, one.Problem, one.sent = to, "", 0
	return nil
}

// update changes a delivery that has not ended.
func (d *desk) update(id string, f func(*Delivery)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one := d.list[id]; one != nil {
		f(one)
	}
}

// end keeps what became of a delivery, sealed, and destroys the upload.
func (d *desk) end(one Delivery) error {
	one.State, one.Ended, one.Problem = done, d.now(), ""
	raw, err := json.Marshal(one)
	if err != nil {
		return err
	}
	sealed, err := d.sealing()[0].Public().SealMessage(keptLabel, raw)
	if err != nil {
		return err
	}
	if err := ledger.WriteFileDurable(d.keptPath(one.ID), sealed); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list[one.ID] = one.summary()
	return d.unstage(one.ID)
}

// discard destroys an upload that was not confirmed.
func (d *desk) discard(owner, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.list[id]
	switch {
	case one == nil || one.Owner != owner:
		return errNone
	case one.State != checked && one.State != stuck:
		return errNow
	}
	delete(d.list, id)
	return d.unstage(id)
}

// expire destroys uploads that nobody confirmed in time, and what was kept for long
// enough.
func (d *desk) expire() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	var problems []error
	for id, one := range d.list {
		switch {
		case one.State == done && d.keep > 0 && now.Sub(one.Ended) > d.keep:
			delete(d.list, id)
			problems = append(problems, ledger.Destroy(d.keptPath(id)))
		case (one.State == checked || one.State == stuck) && now.Sub(one.Uploaded) > stagedFor:
			delete(d.list, id)
			problems = append(problems, d.unstage(id))
		}
	}
	files, err := os.ReadDir(d.keptPath(""))
	if err != nil {
		return errors.Join(append(problems, err)...)
	}
	for _, f := range files { // those that do not open
		info, err := f.Info()
		if d.list[f.Name()] == nil && err == nil && d.keep > 0 && now.Sub(info.ModTime()) > d.keep {
			problems = append(problems, ledger.Destroy(d.keptPath(f.Name())))
		}
	}
	return errors.Join(problems...)
}

const longestName = 120 // bytes

// plainName is the name that an upload goes by: its last part, short, without
// control characters.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) {
			return '_'
		}
		return r
	}, name)
	if ext := filepath.Ext(name); len(name) > longestName && len(ext) < 16 {
		name = strings.ToValidUTF8(name[:longestName-len(ext)], "") + ext
	} else if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "")
	}
	if name == "" {
		return "file"
	}
	return name
}
