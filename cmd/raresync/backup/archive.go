package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	blockBytes   = 512
	trailerBytes = 2 * blockBytes
	copyBytes    = 256 << 10 // at once
)

// section is a part where it lies in the file.
type section struct {
	name   string
	at     int64 // of its content
	size   int64
	sha256 [32]byte
}

func (s section) end() int64 { return s.at + (s.size+blockBytes-1)/blockBytes*blockBytes }

// header returns the one block that a part of this name and size begins with.
func header(name string, size int64) ([]byte, error) {
	var b bytes.Buffer
	err := tar.NewWriter(&b).WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatGNU,
	})
	if err == nil && b.Len() != blockBytes {
		err = fmt.Errorf("header of %d bytes", b.Len())
	}
	if err != nil {
		return nil, fmt.Errorf("part %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// writer writes the parts one after the other.
type writer struct {
	ctx      context.Context
	f        *os.File
	at       int64
	sections []section
	pace     pace
	copied   func(bytes int)
	buffer   [copyBytes]byte
}

// add writes a part from what fill writes, whatever its length.
func (w *writer) add(name string, fill func(io.Writer) error) error {
	s := section{name: name, at: w.at + blockBytes}
	sum := sha256.New()
	out := io.NewOffsetWriter(w.f, s.at)
	if err := fill(io.MultiWriter(out, sum)); err != nil {
		return fmt.Errorf("part %s: %w", name, err)
	}
	s.sha256 = [32]byte(sum.Sum(nil))
	var err error
	if s.size, err = out.Seek(0, io.SeekCurrent); err != nil {
		return fmt.Errorf("part %s: %w", name, err)
	}
	head, err := header(name, s.size)
	if err != nil {
		return err
	}
	if _, err := w.f.WriteAt(head, w.at); err != nil {
		return fmt.Errorf("part %s: %w", name, err)
	}
	w.sections, w.at = append(w.sections, s), s.end()
	return nil
}

// small adds a part that lies in memory.
func (w *writer) small(name string, raw []byte) error {
	return w.add(name, func(out io.Writer) error {
		_, err := out.Write(raw)
		return err
	})
}

// copy adds a part of the ledger, at its pace.
func (w *writer) copy(name string, r io.Reader, size int64) error {
	return w.add(name, func(out io.Writer) error {
		n, err := w.paced(out, r)
		if err == nil && n != size {
			err = fmt.Errorf("%d bytes, want %d: %w", n, size, io.ErrUnexpectedEOF)
		}
		return err
	})
}

// paced copies no faster than is wanted, tells of it, and notices a signal.
func (w *writer) paced(out io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(out, &watched{r: r, after: func(n int) error {
		w.copied(n)
		return w.pace.wait(w.ctx, n)
	}}, w.buffer[:])
}

// finish ends the archive and makes it durable.
func (w *writer) finish() error {
	return errors.Join(w.f.Truncate(w.at+trailerBytes), w.f.Sync())
}

// watched calls after for what was read.
type watched struct {
	r     io.Reader
	after func(n int) error
}

// Read reads on.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 && err == nil {
		err = w.after(n)
	}
	return n, err
}

// pace holds copying back to so many bytes per second; 0 is as fast as can be.
type pace struct {
	perSecond uint64
	due       time.Time
}

func (p *pace) wait(ctx context.Context, n int) error {
	if p.perSecond == 0 {
		return ctx.Err()
	}
	if now := time.Now(); p.due.Before(now) {
		p.due = now
	}
	p.due = p.due.Add(time.Duration(float64(n) / float64(p.perSecond) * float64(time.Second)))
	t := time.NewTimer(time.Until(p.due))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readSections finds the parts of an archive. It takes only what writer makes,
// so that no byte between the parts can differ unseen.
func readSections(f io.ReaderAt, size int64) ([]section, error) {
	var found []section
	for at := int64(0); ; {
		block := make([]byte, blockBytes)
		if _, err := f.ReadAt(block, at); err != nil {
			return nil, unverified("it ends within byte %d: it was cut short", at)
		}
		if bytes.Equal(block, make([]byte, blockBytes)) {
			if err := zeros(f, at, size-at); err != nil || size-at != trailerBytes {
				return nil, unverified("byte %d: another end than a backup's", at)
			}
			return found, nil
		}
		h, err := tar.NewReader(bytes.NewReader(block)).Next()
		if err != nil {
			return nil, unverified("byte %d: %w", at, err)
		}
		want, err := header(h.Name, h.Size)
		if err != nil || !bytes.Equal(want, block) {
			return nil, unverified("byte %d: another part than a backup's", at)
		}
		s := section{name: h.Name, at: at + blockBytes, size: h.Size}
		if h.Size > size || s.end() > size {
			return nil, unverified("part %s: it was cut short", h.Name)
		}
		if zeros(f, s.at+s.size, s.end()-s.at-s.size) != nil {
			return nil, unverified("part %s: bytes behind its end", h.Name)
		}
		found, at = append(found, s), s.end()
	}
}

// zeros reports bytes that are not zero.
func zeros(f io.ReaderAt, at, n int64) error {
	b := make([]byte, min(n, trailerBytes))
	if _, err := f.ReadAt(b, at); err != nil && len(b) > 0 {
		return err
	}
	if !bytes.Equal(b, make([]byte, len(b))) {
		return errors.New("not zeros")
	}
	return nil
}
