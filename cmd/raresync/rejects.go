package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/delivery"
)

// writeRejects writes the refused rows of a table into the folder of --rejects, a
// file for each sheet that has some, and says where. Without the flag it says how
// to have them.
func (t *tables) writeRejects(path string, r *delivery.Rejects, screen *term.Screen) error {
	files, err := r.Files(t.lang, t.withIDs)
	if err != nil {
		return err
	}
	return t.keepRejects(path, r.Count, files, screen)
}

// keepRejects is writeRejects for refused rows that are files already.
func (t *tables) keepRejects(path string, rows int, files []delivery.RejectFile, screen *term.Screen) error {
	v := voice{t.lang}
	switch {
	case len(files) == 0:
		return nil
	case t.rejects == "":
		screen.Note(v.say("%s: %d were refused: --rejects DIR writes them into a file to mend", "%s：拒绝 %d 条；用 --rejects 目录 可将其写入文件以便修改", path, rows))
		return nil
	}
	if err := os.MkdirAll(t.rejects, 0o700); err != nil {
		return fmt.Errorf("write refused rows: %w", err)
	}
	for _, f := range files {
		base := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		if f.Sheet != "" {
			base += "-" + strings.Map(fileRune, f.Sheet)
		}
		name, err := createNumbered(filepath.Join(t.rejects, base+"-rejects"), delivery.Ending(f.Data), f.Data)
		if err != nil {
			return fmt.Errorf("write refused rows: %w", err)
		}
		screen.Note(v.say("%s: what was refused is in %s: mend it and submit that file", "%s：被拒绝的内容已写入 %s，修改后提交该文件即可", path, name))
	}
	return nil
}

// fileRune keeps what may stand in a file's name.
func fileRune(r rune) rune {
	if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
		return '_'
	}
	return r
}

// createNumbered writes a new file that only its owner reads. Nothing is
// overwritten: a name that is taken gets a number.
func createNumbered(base, ext string, data []byte) (string, error) {
	for n := 1; ; n++ {
		name := base + ext
		if n > 1 {
			name = fmt.Sprintf("%s-%d%s", base, n, ext)
		}
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 10_000 {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(data)
		return name, errors.Join(err, f.Sync(), f.Close())
	}
}
