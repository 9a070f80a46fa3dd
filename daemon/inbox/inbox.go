package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/daemon/receipt"
	"github.com/raresync/raresync/registry/mapping"
)

// The folders.
const (
	newDir        = "new"
	workDir       = "work"
	doneDir       = "done"
	quarantineDir = "quarantine"
)

// dirMode lets a group of clerks drop files and read reports; what is made in the
// folders belongs to that group.
const dirMode = fs.ModeSetgid | 0o770

// Config is what an inbox needs.
type Config struct {
	// Dir is the folder. It is made if it is missing, its folders too; modes and
	// owners of those that are there stay.
	Dir string
	// Send hands files to the daemon's intake and waits for receipts.
	Send delivery.Send
	// Receipts gives the receipts of entries; nil writes none.
	Receipts receipt.Source
	// Profile reads tables; nil is the shipped one that knows the headings.
	Profile *mapping.Profile
	// Language is that of reports, "zh" or "en".
	Language string
	// WithIDs leaves document numbers, names and telephones in the refused rows.
	WithIDs bool
	// Every is how often the folder is looked through, Stable for how long a file
	// must not have changed.
	Every, Stable time.Duration
	// KeepDone and KeepQuarantine are for how long files stay; 0 is for ever.
	KeepDone, KeepQuarantine time.Duration
	Now                      func() time.Time
	Logger                   *slog.Logger
}

// A Box is an inbox. It is safe for concurrent use.
type Box struct {
	cfg  Config
	root *os.Root
	seen map[string]sight // files in new, as they were when they were first seen so

	tries   map[string]try // files in work that could not be taken
	emptied time.Time      // when old files were looked for last

	mu      sync.Mutex
	problem string // why the file at hand waits, "" if none does
	taken   int    // files since the start, for their names
	tally   Tally  // as it was at the last look
}

// sight is how a file looked, and since when.
type sight struct {
	size  int64
	mod   time.Time
	since time.Time
}

// try says how often a file was tried, and when it is tried next.
type try struct {
	failed int
	next   time.Time
	reason error
}

// longestPause is the longest time from one try to the next.
const longestPause = 10 * time.Minute

// Open opens an inbox.
func Open(cfg Config) (*Box, error) {
	if err := os.MkdirAll(cfg.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	for _, dir := range []string{newDir, workDir, doneDir, quarantineDir} {
		err := root.Mkdir(dir, 0o770)
		if err == nil {
			_ = root.Chmod(dir, dirMode) // a share has modes of its own
		} else if !errors.Is(err, fs.ErrExist) {
			return nil, errors.Join(fmt.Errorf("inbox: %w", err), root.Close())
		}
	}
	return &Box{cfg: cfg, root: root, seen: map[string]sight{}, tries: map[string]try{}}, nil
}

// Close closes the inbox; Run must have returned.
func (b *Box) Close() error { return b.root.Close() }

// Run takes files until the context ends, and returns nil then. What cannot be
// read or written in the folder, as on a share that is away, is logged and tried
// again.
func (b *Box) Run(ctx context.Context) error {
	tick := time.NewTicker(b.cfg.Every)
	defer tick.Stop()
	for {
		b.note(b.round(ctx))
		b.count()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// note keeps why the inbox does not go on, and logs it when it changes.
func (b *Box) note(err error) {
	text := ""
	if err != nil && !errors.Is(err, context.Canceled) {
		text = nameless(err).Error()
	}
	b.mu.Lock()
	changed := b.problem != text
	b.problem = text
	b.mu.Unlock()
	switch {
	case !changed:
	case text != "":
		b.cfg.Logger.Warn("the inbox waits", "reason", text)
	default:
		b.cfg.Logger.Info("the inbox goes on")
	}
}

// Problem returns why files wait, or "". It names none of them.
func (b *Box) Problem() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problem
}

// nameless takes the names of files, which may be those of patients, out of an
// error of the file system.
func nameless(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s in the inbox: %w", path.Op, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%s in the inbox: %w", link.Op, link.Err)
	}
	return err
}

// round goes on with what is in work, then takes what is new, and empties what is
// old. The error is the first that keeps a file in work.
func (b *Box) round(ctx context.Context) error {
	before := b.finish(ctx)
	claimed, err := b.claim()
	if err == nil && claimed > 0 {
		err = b.finish(ctx)
	}
	return cmp.Or(before, err, b.emptyAtTimes())
}

// finish takes every file in work, in the order in which they came. One that
// cannot be taken does not keep back the others; it is tried again, ever more
// rarely.
func (b *Box) finish(ctx context.Context) (first error) {
	names, err := b.names(workDir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t := b.tries[name]
		if b.cfg.Now().Before(t.next) {
			first = cmp.Or(first, t.reason)
			continue
		}
		err := b.take(ctx, name)
		if err == nil {
			delete(b.tries, name)
			continue
		}
		pause := min(b.cfg.Every<<min(t.failed, 10), longestPause)
		b.tries[name] = try{t.failed + 1, b.cfg.Now().Add(pause), err}
		first = cmp.Or(first, err)
	}
	return first
}

// names returns the names of the regular files of a folder, in order.
func (b *Box) names(dir string) ([]string, error) {
	list, err := fs.ReadDir(b.root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range list {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// sync makes what was renamed into or out of folders durable.
func (b *Box) sync(dirs ...string) error {
	var problems []error
	for _, dir := range dirs {
		d, err := b.root.Open(dir)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		err = d.Sync()
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) { // shares cannot
			err = nil
		}
		problems = append(problems, err, d.Close())
	}
	return errors.Join(problems...)
}

func inDir(dir, name string) string { return filepath.Join(dir, name) }
