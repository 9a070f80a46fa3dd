package ledger

import (
	"bytes"
	"errors"
	"io/fs"
)

// copySuffix marks the second copy of a fact that is kept twice.
const copySuffix = ".copy"

// WriteTwice is [WriteFileDurable] for a fact that could not be derived again:
// it keeps a second copy beside it (path with ".copy"). A crash in between
// leaves the new fact and the copy of the old one.
func WriteTwice(path string, data []byte) error {
	if err := WriteFileDurable(path, data); err != nil {
		return err
	}
	return WriteFileDurable(path+copySuffix, data)
}

// ReadTwice returns what [WriteTwice] wrote: the fact, or its copy if the fact
// is damaged or missing. With mend it writes again whichever is not as it
// should be; without, damage of either is ErrDamaged.
func ReadTwice(path string, mend bool) ([]byte, error) {
	data, err := ReadFileDurable(path)
	second, err2 := ReadFileDurable(path + copySuffix)
	for _, e := range []error{err, err2} {
		if errors.Is(e, ErrStorage) {
			return nil, e
		}
	}
	if !mend {
		for _, e := range []error{err, err2} {
			if errors.Is(e, ErrDamaged) {
				return nil, e
			}
		}
	}
	switch {
	case err != nil && err2 != nil:
		if errors.Is(err, fs.ErrNotExist) && errors.Is(err2, ErrDamaged) {
			err = err2 // there was one
		}
		return nil, err
	case err != nil:
		data = second
	case err2 == nil && bytes.Equal(data, second):
		return data, nil
	}
	if mend {
		return data, WriteTwice(path, data)
	}
	return data, nil
}
