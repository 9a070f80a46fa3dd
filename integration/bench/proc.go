package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// clockTick is the unit of CPU time in /proc/PID/stat: USER_HZ, which is 100
// on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuTime returns the CPU time that processes have used, in user and system
// mode together.
func cpuTime(pids []int) (time.Duration, error) {
	var total time.Duration
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		ticks, err := parseStat(stat)
		if err != nil {
			return 0, fmt.Errorf("process %d: %w", pid, err)
		}
		total += time.Duration(ticks) * clockTick
	}
	return total, nil
}

// parseStat returns utime + stime, fields 14 and 15. The second field is the
// program's name, which may hold spaces and parentheses.
func parseStat(stat []byte) (uint64, error) {
	end := bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[end+1:])
	if end < 0 || len(fields) < 13 {
		return 0, fmt.Errorf("stat of %d bytes makes no sense", len(stat))
	}
	var total uint64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseUint(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// anonymousBytes returns a process' resident memory that no file backs.
func anonymousBytes(pid int) (float64, error) {
	kib, err := procField(pid, "status", "RssAnon")
	return kib * 1024, err
}

// readBytes returns what a process has read so far, from files and from the
// network.
func readBytes(pid int) (float64, error) { return procField(pid, "io", "rchar") }

// procField returns a number from a file of /proc that has one to a line.
func procField(pid int, file, name string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			return strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
		}
	}
	return 0, fmt.Errorf("process %d has no %s", pid, name)
}

// loadAverage returns the machine's load averages, or nothing where there are
// none.
func loadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg") // "" says as much
	fields := strings.Fields(string(text))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// diskBytes returns what the files below a directory take on disk.
func diskBytes(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an older snapshot, replaced while this walks
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			total += s.Blocks * 512
		}
		return nil
	})
	return total, err
}
