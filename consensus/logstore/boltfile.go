package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/raresync/raresync/consensus/fault"
)

// backend is the part of raft-boltdb's store that a Store writes through.
type backend interface {
	FirstIndex() (uint64, error)
	LastIndex() (uint64, error)
	GetLog(index uint64, l *raft.Log) error
	StoreLogs(logs []*raft.Log) error
	DeleteRange(min, max uint64) error
	Close() error
}

const (
	// mmapBytes is address space, not memory: room for log.db at twice its
	// usual size, so that growing it does not wait for readers.
	mmapBytes = 256 << 20
	// lockTimeout bounds the wait for another process that has the file open.
	lockTimeout = 2 * time.Second
)

func boltOptions(initialMmapBytes int) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         lockTimeout,
		NoFreelistSync:  true, // or each commit rewrites the list
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: initialMmapBytes,
	}
}

// openBolt opens or creates a raft-boltdb file after looking at its pages.
func openBolt(path string, initialMmapBytes int) (store *raftboltdb.BoltStore, err error) {
	if err := checkFile(path); err != nil {
		return nil, err
	}
	err = faultsAsErrors(func() error {
		store, err = raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: boltOptions(initialMmapBytes),
			NoSync: fault.Planted(fault.LogNoFsync)})
		return err
	})
	return store, asDamage(err)
}

// checkFile looks at all pages of the file at path. A file of no bytes is a new
// one to bbolt.
func checkFile(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return checkBolt(path)
}

// asDamage marks what bbolt has to say about a file's content. What the system
// says, or that another process has the file, is no damage.
func asDamage(err error) error {
	var path *fs.PathError
	var errno syscall.Errno
	switch {
	case err == nil, errors.Is(err, ErrDamaged), errors.Is(err, bbolterrors.ErrTimeout),
		errors.As(err, &path), errors.As(err, &errno):
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// faultsAsErrors runs f and turns a memory fault or a panic into ErrDamaged:
// bbolt reads through a memory map, so a page that is missing or makes no
// sense shows as one.
func faultsAsErrors(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// timed runs f in a goroutine and waits for it at most limit. A write that
// hangs is left behind: nothing can stop it but the end of the process.
func timed(limit time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- faultsAsErrors(f) }()
	tick := time.NewTicker(limit / waitTicks)
	defer tick.Stop()
	ended, err := awaitWrite(done, tick.C)
	if !ended {
		return fmt.Errorf("%w: %s", ErrStalled, limit)
	}
	return err
}

// waitTicks is how many ticks a write is waited for. A process that was stopped
// as a whole, with its machine or by a debugger, sees one tick for all the time
// that it missed: the disk did not hang meanwhile.
const waitTicks = 10

func awaitWrite(done <-chan error, tick <-chan time.Time) (ended bool, err error) {
	for range waitTicks {
		select {
		case err := <-done:
			return true, err
		case <-tick:
		}
	}
	return false, nil
}

// syncDir makes the names in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
