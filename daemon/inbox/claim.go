package inbox

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/raresync/raresync/consensus/fault"
)

// passedOver reports whether a file is not finished, or is nobody's: by its name.
func passedOver(name string) bool {
	lower := strings.ToLower(name)
	ends := func(end string) bool { return strings.HasSuffix(lower, end) }
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || lower == "thumbs.db" || lower == "desktop.ini" ||
		slices.ContainsFunc([]string{".part", ".tmp", ".crdownload", ".filepart"}, ends)
}

// claim moves the files of new that have not changed for a while into work, under
// names that are used once, and returns how many.
func (b *Box) claim() (claimed int, err error) {
	names, err := b.names(newDir)
	if err != nil {
		return 0, err
	}
	seen := map[string]sight{}
	for _, name := range names {
		if passedOver(name) {
			continue
		}
		info, err := b.root.Lstat(inDir(newDir, name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return claimed, err
		}
		now := sight{info.Size(), info.ModTime(), b.cfg.Now()}
		if before, ok := b.seen[name]; ok && before.size == now.size && before.mod.Equal(now.mod) {
			now.since = before.since
		}
		if b.cfg.Now().Sub(now.since) < b.cfg.Stable {
			seen[name] = now
			continue
		}
		switch moved, err := b.move(name); {
		case errors.Is(err, fs.ErrPermission): // a writer on a share has it open
			seen[name] = now
		case err != nil:
			return claimed, err
		case moved:
			claimed++
		}
	}
	b.seen = seen
	if claimed == 0 {
		return 0, nil
	}
	fault.At(fault.InboxClaimed)
	return claimed, b.sync(newDir, workDir)
}

// move gives a file of new its name in work. It reports false for one that is gone.
func (b *Box) move(name string) (bool, error) {
	for {
		b.taken++
		as := fmt.Sprintf("%s-%d-%s", b.cfg.Now().UTC().Format(stampLayout), b.taken, plainName(name))
		if b.isTaken(as) {
			continue
		}
		err := b.root.Rename(inDir(newDir, name), inDir(workDir, as))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
}

// Bounds of a file's name, its ending included, so that its name in the folders
// fits a file system with that of a report.
const (
	longestName   = 180 // bytes
	longestEnding = 16
)

// plainName is the name that a file goes by from now on: short, without control
// characters, and no report's. The stamp of one that comes back is left out.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, ownName(name))
	for _, report := range reportEnds {
		if base, ok := strings.CutSuffix(name, report); ok {
			name = base + "-" + report[1:]
		}
	}
	if ending := filepath.Ext(name); len(name) > longestName && len(ending) <= longestEnding {
		name = strings.ToValidUTF8(name[:longestName-len(ending)], "") + ending
	} else if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "")
	}
	return name
}

// stampLayout begins the name of a file that was taken.
const stampLayout = "20060102-150405"

// isTaken reports whether a file has a name already.
func (b *Box) isTaken(name string) bool {
	return slices.ContainsFunc([]string{workDir, doneDir, quarantineDir}, func(dir string) bool {
		_, err := b.root.Lstat(inDir(dir, name))
		return err == nil
	})
}

// ownName returns the name that a file had when it was dropped.
func ownName(name string) string {
	if len(name) > len(stampLayout)+1 {
		if _, err := time.Parse(stampLayout, name[:len(stampLayout)]); err == nil {
			if _, own, ok := strings.Cut(name[len(stampLayout)+1:], "-"); ok && own != "" {
				return own
			}
		}
	}
	return name
}
