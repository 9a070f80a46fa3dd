package logstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	"go.etcd.io/bbolt"

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

// openBolt opens or creates a raft-boltdb file after walking its pages.
func openBolt(path string, initialMmapBytes int) (store *raftboltdb.BoltStore, err error) {
	if err := walkPages(path); err != nil {
		return nil, err
	}
	err = faultsAsErrors(func() error {
		store, err = raftboltdb.New(raftboltdb.Options{Path: path, BoltOptions: boltOptions(initialMmapBytes),
			NoSync: fault.Planted(fault.LogNoFsync)})
		return err
	})
	return store, err
}

// walkPages visits every branch and leaf page of the file at path, read-only.
// With NoFreelistSync bbolt walks them too when it opens a file for writing,
// but in a goroutine of its own, where a fault ends the process.
func walkPages(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return faultsAsErrors(func() error {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(_, _ []byte) error { return nil })
			})
		})
	})
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
