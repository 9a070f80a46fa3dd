package config

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/raresync/raresync/registry/entry"
)

// Config is everything an operator may set on a node. Name in the file:
// section and key in lower case with underscores.
type Config struct {
	Node     Node     `toml:"node"`
	Network  Network  `toml:"network"`
	Listen   Listen   `toml:"listen"`
	Keys     Keys     `toml:"keys"`
	Copy     Copy     `toml:"copy"`
	Submit   Submit   `toml:"submit"`
	Inbox    Inbox    `toml:"inbox"`
	Page     Page     `toml:"page"`
	Console  Console  `toml:"console"`
	Withdraw Withdraw `toml:"withdraw"`
	View     View     `toml:"view"`
	Disk     Disk     `toml:"disk"`
	Log      Log      `toml:"log"`

	// Peers gives addresses of other nodes, by node id, as host:port in the
	// order to try. Default none: the roster's addresses are used. Set it
	// where a node is reached another way from here, as over a VPN.
	Peers map[string][]string `toml:"peers"`

	// Language is what commands and findings are written in: "zh" or "en".
	// Default "en". A command's --lang goes before it.
	Language string `toml:"language"`
}

// Node says which node this is and where it keeps its data.
type Node struct {
	// ID is the node's name in the roster: 1 to 32 of a-z 0-9 and hyphen.
	// Required, and fixed once the network knows it.
	ID string `toml:"id"`

	// DataDir holds the log, keys and receipts. Default: the folder of the
	// configuration file. Choose a local disk that honours fsync, with room
	// for the whole national log; never a network file system.
	DataDir string `toml:"data_dir"`
}

// Network names the network the node belongs to.
type Network struct {
	// Genesis is the file that founded the network. Default: genesis.pem in
	// the data directory. Every node of a network has the same file.
	Genesis string `toml:"genesis"`

	// Proxy is the HTTP proxy through which every other node is dialled, as
	// "http://proxy.example:3128". Default "": they are dialled directly. Set it
	// where the firewall lets nothing else out. The proxy must let CONNECT
	// through to the voters' ports, and must not open TLS.
	Proxy string `toml:"proxy"`

	// ProxyLogin is where the proxy's name and password lie, as one line
	// "name:password": the path of a file that only its owner can read, or
	// "credential:NAME" for a credential of the service manager. Default "": the
	// proxy wants none. It is read at each connection, so that a new password
	// needs no restart.
	ProxyLogin string `toml:"proxy_login"`

	// Copies are static copies of the log, as raresync log export makes them with
	// --bodies: "https://host/path" or "file:///path". Default none. A mirror that
	// is far behind takes envelopes from them, through the proxy if there is one,
	// and from the other nodes only salts and what is newer. All is verified as if
	// it came from a node; voters do not use them.
	Copies []string `toml:"copies"`
}

// ProxyAddress returns the proxy's host:port, or "" if there is none.
func (n Network) ProxyAddress() string {
	return strings.TrimSuffix(strings.TrimPrefix(n.Proxy, proxyScheme), "/")
}

const proxyScheme = "http://"

// Listen says where the node can be reached.
type Listen struct {
	// Node is host:port for other nodes. Default "": the node only dials out,
	// which is enough for a mirror and for at most one voter. Voters use port
	// 8470 by custom, as in "0.0.0.0:8470"; port 0 lets the system choose.
	Node string `toml:"node"`

	// AdminSocket is the unix socket for commands on this machine. Default:
	// admin.sock in the data directory. At most 100 bytes, a limit of the
	// operating system: choose a shorter place, as /run/raresync/admin.sock,
	// where the data directory's path is long.
	AdminSocket string `toml:"admin_socket"`

	// Metrics is host:port for a monitoring system on this machine: GET /metrics
	// for Prometheus, and the probes /livez and /readyz. Default "": off. Whoever
	// reaches it may ask, so it listens on a loopback address alone, as
	// "127.0.0.1:8472".
	Metrics string `toml:"metrics"`

	// Tiles is host:port for stock C2SP clients, without TLS and without asking who
	// it is: GET /checkpoint and /tile/... of this node's log, and nothing else.
	// Default "": off. Choose a loopback address behind a web server that speaks
	// TLS. Whoever reads it learns which hospital sent how many entries when.
	Tiles string `toml:"tiles"`
}

// Keys says where the node's secrets lie.
type Keys struct {
	// File is the sealed key file. Default: keys.age in the data directory.
	File string `toml:"file"`

	// Key is what opens it: the path of a file that only its owner can read,
	// or "credential:NAME" for a credential of the service manager. Default:
	// file.key in the data directory. Choose a credential in production, so
	// that a copy of the data directory is of no use to a thief.
	Key string `toml:"key"`
}

// Copy says how fast this node's copy of the log is completed and checked.
type Copy struct {
	// FetchKiBPerSecond bounds what is pulled from other nodes, averaged over
	// ten seconds. Default 2048, which leaves a hospital's line to the
	// hospital: a million entries take nine minutes. 0 is as fast as can be.
	FetchKiBPerSecond int64 `toml:"fetch_kib_per_second"`

	// ScrubKiBPerSecond bounds what is read again from this node's disk, over
	// and over, to find damage while other nodes still have what is lost.
	// Default 1024: a million entries take about twenty minutes. 0 is as fast
	// as can be.
	ScrubKiBPerSecond int64 `toml:"scrub_kib_per_second"`
}

// Submit says how the hospital's files are read.
type Submit struct {
	// Profile is what files must fill in: "report", "cohort" or "published".
	// Default "": published for a case with a literature reference, report
	// for any other.
	Profile string `toml:"profile"`

	// Production refuses printed specimens and test numbers as identity
	// numbers (rule ID011). Default true; a demo network sets it to false.
	Production bool `toml:"production"`

	// ConsentForm is the first day of the consent form in use, as "2025-06-01":
	// a consent given on an older one is flagged (rule CN003). Default "":
	// nothing is.
	ConsentForm string `toml:"consent_form"`
}

// Form returns ConsentForm as a date; one that [Config.Validate] refuses is unknown.
func (s Submit) Form() entry.Date {
	d, _ := entry.ParseDate(s.ConsentForm)
	return d
}

// Inbox is the folder from which the daemon takes files by itself.
type Inbox struct {
	// Dir is the folder: files dropped into its folder new are taken, and what
	// became of them stands in done or quarantine. Default "": off. It may lie on
	// a share (CIFS, NFS); never in the data directory, whose files are the
	// daemon's alone. Whoever may write to new submits in the hospital's name.
	Dir string `toml:"dir"`

	// Mapping reads the tables: template, frontpage, rarelink, or the path of a
	// profile of your own. Default "": the shipped one that knows the headings.
	Mapping string `toml:"mapping"`

	// Stable is for how long a file must not have changed before it is taken, as
	// "10s". Default 10s; choose longer where exports pause while they write.
	Stable time.Duration `toml:"stable"`

	// WithIDs leaves document numbers, names and telephones in the files of
	// refused rows. Default false: they are masked.
	WithIDs bool `toml:"with_ids"`

	// KeepDone and KeepQuarantine are for how long files stay in these folders
	// before they are removed. Default 720h and 2160h, 30 and 90 days; 0s is for
	// ever. They hold patients' names and numbers.
	KeepDone       time.Duration `toml:"keep_done"`
	KeepQuarantine time.Duration `toml:"keep_quarantine"`
}

// Page is the web page on which the hospital's clerks hand in files.
type Page struct {
	// Listen is host:port of the page for browsers in the hospital's own network.
	// Default "": off. Never let it be reached from outside of the hospital. The
	// accounts are kept with raresync page user.
	Listen string `toml:"listen"`

	// Cert and Key are PEM files of a certificate that the hospital's browsers
	// trust. Default "": the node makes one itself, which browsers warn of, and
	// writes its fingerprint into the log. They are read again when they change.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`

	// Plain serves the page without TLS, on a loopback address alone, as behind a
	// web server that speaks TLS. Default false.
	Plain bool `toml:"plain"`

	// Keep is for how long is kept, sealed, what became of deliveries, with their
	// refused rows. Default 720h, 30 days; 0s is for ever.
	Keep time.Duration `toml:"keep"`
}

// Console is the web pages on which an institution's people look at what it may open
// of the registry: a national reader's at all of it.
type Console struct {
	// Listen is host:port of the console for browsers in the institution's own network.
	// Default "": off. Never let it be reached from outside. The accounts are kept
	// with raresync console user.
	Listen string `toml:"listen"`

	// Cert and Key are PEM files of a certificate that the browsers trust. Default "":
	// the node makes one itself, which browsers warn of, and writes its fingerprint
	// into the log. They are read again when they change.
	Cert string `toml:"cert"`
	Key  string `toml:"key"`

	// Plain serves the console without TLS, on a loopback address alone, as behind a
	// web server that speaks TLS. Default false.
	Plain bool `toml:"plain"`
}

// Withdraw says how withdrawals are posted.
type Withdraw struct {
	// Spread is the time within which a withdrawal is posted after the patient
	// asked for it, as "72h". Default 72h; with 0s each is posted at once, and
	// its time shows when the patient came. Those of half that time go together,
	// so choose longer where patients are few.
	Spread time.Duration `toml:"spread"`
}

// View is the database of opened entries that reports are made of.
type View struct {
	// Plain leaves the view on disk as any SQLite reads it. Default false: it is
	// encrypted under a key that the node draws at each start and keeps in memory.
	// Set it only to look for a mistake, on a disk that is encrypted itself.
	Plain bool `toml:"plain"`
}

// Disk says how the room on the data directory's disk is watched. Where the
// other levels lie is not for an operator to move: docs/OPERATIONS.md.
type Disk struct {
	// WarnMiB is the free space, in MiB, below which the node warns. Default
	// 0: 15 % of the disk, at most 20 GiB. Choose what the disk takes up in
	// the time you need to enlarge it.
	WarnMiB int64 `toml:"warn_mib"`

	// ReserveMiB is the size, in MiB, of a file of unused blocks that is given
	// up when the disk is full, so that the node can finish what it promised.
	// Default 64; 0 for none.
	ReserveMiB int64 `toml:"reserve_mib"`
}

// Log says what the daemon writes to standard error.
type Log struct {
	// Level is "debug", "info", "warn" or "error". Default "info".
	Level string `toml:"level"`

	// Format is "text" for people or "json" for a log collector. Default
	// "text".
	Format string `toml:"format"`
}

// Default returns the configuration of an empty file, before [Config.Resolve]:
// paths that follow from others are empty.
func Default() Config {
	return Config{
		Node:     Node{DataDir: "."},
		Copy:     Copy{FetchKiBPerSecond: 2048, ScrubKiBPerSecond: 1024},
		Submit:   Submit{Production: true},
		Inbox:    Inbox{Stable: 10 * time.Second, KeepDone: 30 * 24 * time.Hour, KeepQuarantine: 90 * 24 * time.Hour},
		Page:     Page{Keep: 30 * 24 * time.Hour},
		Withdraw: Withdraw{Spread: 72 * time.Hour},
		Disk:     Disk{ReserveMiB: 64},
		Log:      Log{Level: "info", Format: "text"},
		Language: "en",
	}
}

// Names of files in a data directory, where the configuration names no other.
const (
	genesisName = "genesis.pem"
	socketName  = "admin.sock"
	keysName    = "keys.age"
	fileKeyName = "file.key"
)

// Resolve makes every path absolute, starting at dir, and fills in those that
// follow from the data directory. It changes no path that is absolute already.
func (c *Config) Resolve(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	from := func(base, path string) string {
		if filepath.IsAbs(path) {
			return filepath.Clean(path)
		}
		return filepath.Join(base, path)
	}
	c.Node.DataDir = from(dir, c.Node.DataDir)
	for path, name := range map[*string]string{
		&c.Network.Genesis: genesisName, &c.Listen.AdminSocket: socketName, &c.Keys.File: keysName, &c.Keys.Key: fileKeyName,
	} {
		switch _, credential := c.Credential(); {
		case path == &c.Keys.Key && credential:
		case *path == "":
			*path = filepath.Join(c.Node.DataDir, name)
		default:
			*path = from(dir, *path)
		}
	}
	if c.Inbox.Dir != "" {
		c.Inbox.Dir = from(dir, c.Inbox.Dir)
	}
	for _, path := range []*string{&c.Page.Cert, &c.Page.Key, &c.Console.Cert, &c.Console.Key} {
		if *path != "" {
			*path = from(dir, *path)
		}
	}
	if strings.ContainsAny(c.Inbox.Mapping, "./") {
		c.Inbox.Mapping = from(dir, c.Inbox.Mapping)
	}
	if _, credential := Credential(c.Network.ProxyLogin); c.Network.ProxyLogin != "" && !credential {
		c.Network.ProxyLogin = from(dir, c.Network.ProxyLogin)
	}
	return nil
}
