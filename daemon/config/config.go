package config

import "path/filepath"

// Config is everything an operator may set on a node. Name in the file:
// section and key in lower case with underscores.
type Config struct {
	Node    Node    `toml:"node"`
	Network Network `toml:"network"`
	Listen  Listen  `toml:"listen"`
	Keys    Keys    `toml:"keys"`
	Copy    Copy    `toml:"copy"`
	Submit  Submit  `toml:"submit"`
	Disk    Disk    `toml:"disk"`
	Log     Log     `toml:"log"`

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
}

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
	return nil
}
