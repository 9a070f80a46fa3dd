package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/raresync/raresync/consensus/fault"
)

// Destroy takes away the file at path, and overwrites it with zeros before its
// blocks may become another's. A file that is not there is no error. A crash
// leaves the file as it was, or what is left of it under the name of an
// unfinished write (path with ".tmp"), which its owner destroys when it starts.
// Errors are ErrStorage.
//
// What the storage under the file system keeps of old blocks is out of reach.
func Destroy(path string) error {
	temp := path + ".tmp"
	err := os.Rename(path, temp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ioError("rename", path, err)
	}
	if err := SyncDir(filepath.Dir(path)); err != nil {
		return err
	}
	return destroy(temp)
}

// DestroyUnfinished destroys the files in a folder that an unfinished write or
// an unfinished Destroy left behind.
func DestroyUnfinished(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return ioError("read", dir, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		var err error
		if of, is := strings.CutSuffix(path, formerSuffix); is {
			err = DestroyFormer(of)
		} else if strings.HasSuffix(path, ".tmp") {
			err = destroy(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func destroy(path string) error {
	if err := zeroFile(path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return ioError("remove", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// DestroyFiles destroys every file of a folder, and the folder. A folder that
// is not there is no error.
func DestroyFiles(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ioError("read", dir, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		if err := zeroFile(path); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return ioError("remove", path, err)
		}
	}
	if err := os.Remove(dir); err != nil {
		return ioError("remove", dir, err)
	}
	return SyncDir(filepath.Dir(dir))
}

// ReplaceDurable is [WriteFileDurable], after which nothing is left of the bytes
// that the file had before. After a crash in between they may still be there,
// under the name that [DestroyFormer] looks for.
func ReplaceDurable(path string, data []byte) error {
	if err := KeepFormer(path); err != nil {
		return err
	}
	if err := WriteFileDurable(path, data); err != nil {
		return err
	}
	return DestroyFormer(path)
}

// formerSuffix marks the second name of a file that is being replaced.
const formerSuffix = ".former.tmp"

// KeepFormer gives the file at path, if there is one, a second name, so that its
// bytes are still found when another file has taken the first.
func KeepFormer(path string) error {
	if err := DestroyFormer(path); err != nil {
		return err
	}
	if err := os.Link(path, path+formerSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioError("link", path, err)
	}
	return nil
}

// DestroyFormer destroys what a file was before it was replaced. One that still
// is that file only loses its second name.
func DestroyFormer(path string) error {
	former, err := os.Stat(path + formerSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ioError("stat", path+formerSuffix, err)
	}
	if now, err := os.Stat(path); err == nil && os.SameFile(former, now) {
		if err := os.Remove(path + formerSuffix); err != nil {
			return ioError("remove", path+formerSuffix, err)
		}
		return nil
	}
	return destroy(path + formerSuffix)
}

// zeroFile overwrites a file in place.
func zeroFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return ioError("open", path, err)
	}
	if err := Zero(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return ioError("close", path, err)
	}
	return nil
}

// Zero overwrites an open file, which may have lost its name, with zeros and
// fsyncs it. Errors are ErrStorage.
func Zero(f *os.File) error {
	if fault.Planted(fault.KeepBlocks) {
		return nil
	}
	info, err := f.Stat()
	if err != nil {
		return ioError("stat", f.Name(), err)
	}
	zeros := make([]byte, min(info.Size(), 1<<20))
	for off := int64(0); off < info.Size(); off += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-off)], off); err != nil {
			return ioError("write", f.Name(), err)
		}
	}
	if err := f.Sync(); err != nil {
		return ioError(opFsync, f.Name(), err)
	}
	return nil
}
