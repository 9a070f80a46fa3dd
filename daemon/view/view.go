package view

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/vfs/adiantum" // encrypts the files

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/catalog"
)

// ErrBehind reports a view that has not read all of the log yet.
var ErrBehind = errors.New("the view is still reading the log")

// Node is the copy of the log that the view follows; [consensus.Node] is one.
type Node interface {
	View() *state.State
	Wait(ctx context.Context, cond func(*state.State) bool) (*state.State, error)
	Machine() *machine.Machine
}

// Config is what a view needs.
type Config struct {
	Node        Node
	Reader      *reader.Reader
	Institution uint32                           // of this node
	Catalogue   func() (*catalog.Catalog, error) // the newest edition
	Dir         string                           // for the files: they are the view's alone
	Plain       bool                             // not encrypted
	Monthly     bool                             // ends with the last complete month, by log time
	KeepErased  bool                             // does not overwrite what is erased: for the test that looks for it
	Patience    time.Duration                    // for which Read waits; 0: 10 s
	Logger      *slog.Logger
}

// Head says what a view has read.
type Head struct {
	Envelopes uint64
	Size      uint64 // tree size
	Root      [32]byte
	LogTime   uint64 // ms, of the last envelope
	Edition   string // of the lists that diseases were looked up in
	Unopened  int    // entries that should have opened and did not
}

// View is a database of opened entries. Read and Forget are safe for concurrent
// use, beside one Run.
type View struct {
	cfg Config
	db  *sql.DB

	writing sync.Mutex // held while rows are written; guards what follows
	followed
	unclean bool // something was erased that the files may still hold

	mu    sync.Mutex // guards what follows
	head  Head
	whole bool // head is a head that may be shown
	grid  grid
	moved chan struct{} // closed and replaced with head

	version int64               // of the database: each transaction that writes makes one
	changed map[uint32]int64    // the version that last changed a hospital's entries
	held    map[uint32]*holding // by hospital

	holding sync.Mutex     // held while a holding is read
	warming sync.WaitGroup // what reads ahead
}

// name is the database's file in its folder.
const name = "view.db"

// Open returns an empty view. What an earlier one left in its files is destroyed.
func Open(cfg Config) (*View, error) {
	v := &View{cfg: cfg, moved: make(chan struct{}), changed: map[uint32]int64{}, held: map[uint32]*holding{}}
	if err := v.clear(); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	address := "file:" + filepath.ToSlash(filepath.Join(cfg.Dir, name))
	if !cfg.Plain {
		address += "?vfs=adiantum"
	}
	var err error
	if v.db, err = driver.Open(address, func(c *sqlite3.Conn) error { return cfg.begin(c, key) }); err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	v.db.SetMaxOpenConns(connections)
	v.db.SetMaxIdleConns(connections)
	return v, nil
}

// create makes the tables. It is no part of Open: on a full disk the node starts, and
// reports wait.
func (v *View) create(ctx context.Context) error {
	if err := os.MkdirAll(v.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	if _, err := v.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	if err := os.Chmod(filepath.Join(v.cfg.Dir, name), 0o600); err != nil {
		return fmt.Errorf("view: %w", err)
	}
	return nil
}

// connections are one that writes and those that read beside it.
const connections = 4

// begin sets up a connection. Nothing is fsynced: after a crash the view is built
// anew under another key.
func (c Config) begin(conn *sqlite3.Conn, key [32]byte) error {
	settings := ""
	if !c.Plain {
		settings = "PRAGMA hexkey='" + hex.EncodeToString(key[:]) + "';"
	}
	erasing := "ON"
	if c.KeepErased {
		erasing = "OFF"
	}
	return conn.Exec(settings + `PRAGMA busy_timeout=60000; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;
		PRAGMA secure_delete=` + erasing + `; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-32768;`)
}

// Close ends the view and destroys its files.
func (v *View) Close() error {
	v.mu.Lock()
	v.whole = false
	v.mu.Unlock()
	return errors.Join(v.db.Close(), v.clear())
}

// clear overwrites and removes the view's files.
func (v *View) clear() error {
	var problems []error
	for _, end := range []string{"", "-wal", "-shm", "-journal"} {
		problems = append(problems, destroy(filepath.Join(v.cfg.Dir, name+end)))
	}
	return errors.Join(problems...)
}

// destroy overwrites a file with zeros and removes it. A connection that was still in use
// when its view was closed removes its own files when it ends, perhaps in between.
func destroy(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	problems := []error{ledger.Zero(f), f.Close()}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Query reads the view as of one head.
type Query struct {
	Head  Head
	Month Month // of a monthly view: the month that it ends with; else 0
	ctx   context.Context
	tx    querier

	view    *View
	version int64 // of the database
	part    Part
	own     map[uint32]*holding // of this look alone, where it is narrowed by uses
	all     map[allOf][2]map[string]Groups
}

// usualPatience is how long a reader waits for the view to have read the log.
const usualPatience = 10 * time.Second

// Read calls f with the view as it is, once it has read all that this node has of
// the log now, or of its complete months; ErrBehind says that it has not within some
// seconds, ErrNoMonth that no month is complete.
func (v *View) Read(ctx context.Context, f func(Query) error) error { return v.ReadIn(ctx, "", f) }

// ReadIn is Read of what the hospitals of one province have sent, two digits of
// GB/T 2260; of the whole nation with "". No query of f sees more.
func (v *View) ReadIn(ctx context.Context, province string, f func(Query) error) error {
	return v.ReadPart(ctx, Part{Province: province}, f)
}

// ReadPart is Read of a part of the entries. No query of f sees more.
func (v *View) ReadPart(ctx context.Context, part Part, f func(Query) error) error {
	wanted, month, err := v.upTo(v.cfg.Node.View())
	if err != nil {
		return err
	}
	if err := v.wait(ctx, wanted); err != nil {
		return err
	}
	return v.look(ctx, part, month, f)
}

// look calls f with the view as it is.
func (v *View) look(ctx context.Context, part Part, month Month, f func(Query) error) (err error) {
	conn, err := v.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if part != (Part{}) {
		if err := narrow(ctx, conn, part); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, widen(conn)) }()
	}
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	q := Query{Month: month, ctx: ctx, tx: tx, view: v, part: part, own: map[uint32]*holding{}, all: map[allOf][2]map[string]Groups{}}
	if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&q.version); err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	var root []byte
	err = tx.QueryRowContext(ctx, `SELECT envelopes, size, root, log_time, edition, unopened FROM head`).
		Scan(&q.Head.Envelopes, &q.Head.Size, &root, &q.Head.LogTime, &q.Head.Edition, &q.Head.Unopened)
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(root) != len(q.Head.Root) {
		return ErrBehind // it began anew in between
	}
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	q.Head.Root = [32]byte(root)
	return f(q)
}

// wait waits for a head with that many envelopes.
func (v *View) wait(ctx context.Context, envelopes uint64) error {
	late := time.After(cmp.Or(v.cfg.Patience, usualPatience))
	for {
		v.mu.Lock()
		there, moved := v.whole && v.head.Envelopes >= envelopes, v.moved
		v.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return ErrBehind
		case <-moved:
		}
	}
}

// Head returns what the view has read, and whether that may be shown.
func (v *View) Head() (h Head, whole bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.head, v.whole
}

func (v *View) setHead(h Head, whole bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.head, v.whole = h, whole
	close(v.moved)
	v.moved = make(chan struct{})
}
