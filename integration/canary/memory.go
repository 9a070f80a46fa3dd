package canary

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mapping is a stretch of a process's addresses.
type mapping struct {
	from, to int64
	name     string
}

// Memory searches what a process has in memory and may read there, and stops it
// meanwhile, so that nothing moves. It needs the right to trace the process. What
// of a mapped file is not in memory is passed over: it is in the file.
func (s *Search) Memory(pid int) (hits []Hit, searched int64, err error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, 0, fmt.Errorf("stop process %d: %w", pid, err)
	}
	defer func() { err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) }()
	maps, err := readable(pid)
	if err != nil {
		return nil, 0, err
	}
	var files [2]*os.File
	for i, name := range []string{"mem", "pagemap"} {
		if files[i], err = os.Open(fmt.Sprintf("/proc/%d/%s", pid, name)); err != nil {
			return nil, 0, err
		}
		defer files[i].Close()
	}
	for _, m := range maps {
		present, err := m.present(files[1])
		if err != nil {
			return hits, searched, fmt.Errorf("pages of process %d: %w", pid, err)
		}
		for _, run := range present {
			where := fmt.Sprintf("memory of process %d, %x of %s", pid, run.from, m.name)
			found, n, err := s.Reader(where, &pages{mem: files[0], at: run.from, end: run.to})
			hits, searched = append(hits, found...), searched+n
			if err != nil {
				return hits, searched, err
			}
		}
	}
	return hits, searched, nil
}

// present returns the stretches of a mapping that are in memory, or swapped out,
// as a process's pagemap tells: eight bytes for each page.
func (m mapping) present(pagemap io.ReaderAt) (runs []mapping, err error) {
	const record, here = 8, 3 << 62 // in memory, or in the swap
	size := int64(os.Getpagesize())
	raw := make([]byte, (m.to-m.from)/size*record)
	if _, err := pagemap.ReadAt(raw, m.from/size*record); err != nil {
		return nil, err
	}
	for i := range (m.to - m.from) / size {
		at := m.from + i*size
		switch last := len(runs) - 1; {
		case binary.NativeEndian.Uint64(raw[i*record:])&here == 0:
		case last >= 0 && runs[last].to == at:
			runs[last].to += size
		default:
			runs = append(runs, mapping{at, at + size, m.name})
		}
	}
	return runs, nil
}

// readable lists the mappings that a process may read, but for those that the
// kernel makes up.
func readable(pid int) (list []mapping, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		m := mapping{name: "anonymous"}
		if len(fields) > 5 {
			m.name = fields[5]
		}
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &m.from, &m.to); err != nil {
			if strings.HasPrefix(m.name, "[vsyscall]") { // at the top, beyond an int64
				continue
			}
			return nil, fmt.Errorf("read the mappings of process %d: %w", pid, err)
		}
		if fields[1][0] == 'r' && !strings.HasPrefix(m.name, "[v") {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("process %d has no memory to read", pid)
	}
	return list, nil
}

// pages reads a mapping, with zeros for the pages that cannot be read.
type pages struct {
	mem     io.ReaderAt
	at, end int64
}

// Read reads the next bytes of the mapping.
func (p *pages) Read(b []byte) (int, error) {
	if p.at == p.end {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.end-p.at)]
	n, err := p.mem.ReadAt(b, p.at)
	if n == 0 {
		if !errors.Is(err, unix.EIO) && !errors.Is(err, io.EOF) {
			return 0, err
		}
		page := int64(os.Getpagesize())
		n = int(min(page-p.at%page, int64(len(b))))
		clear(b[:n])
	}
	p.at += int64(n)
	return n, nil
}
