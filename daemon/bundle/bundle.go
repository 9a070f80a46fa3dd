package bundle

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/config"
)

// Setting is one line of the configuration.
type Setting struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// Settings returns the settings that may be shown. Of a secret it is said how it
// is kept, of a path whether it is the default.
func Settings(c config.Config) []Setting {
	return []Setting{
		{"language", c.Language},
		{"node.id", c.Node.ID},
		{"network.proxy", present(c.Network.Proxy)},
		{"network.proxy_login", kept(c.Network.ProxyLogin)},
		{"network.copies", len(c.Network.Copies)},
		{"listen.node", c.Listen.Node},
		{"listen.admin_socket", inside(c, c.Listen.AdminSocket)},
		{"listen.metrics", c.Listen.Metrics},
		{"listen.tiles", c.Listen.Tiles},
		{"keys.file", inside(c, c.Keys.File)},
		{"keys.key", kept(c.Keys.Key)},
		{"copy.fetch_kib_per_second", c.Copy.FetchKiBPerSecond},
		{"copy.scrub_kib_per_second", c.Copy.ScrubKiBPerSecond},
		{"submit.profile", c.Submit.Profile},
		{"submit.production", c.Submit.Production},
		{"submit.consent_form", c.Submit.ConsentForm},
		{"inbox.dir", present(c.Inbox.Dir)},
		{"inbox.mapping", present(c.Inbox.Mapping)},
		{"inbox.stable", c.Inbox.Stable.String()},
		{"inbox.with_ids", c.Inbox.WithIDs},
		{"inbox.keep_done", c.Inbox.KeepDone.String()},
		{"inbox.keep_quarantine", c.Inbox.KeepQuarantine.String()},
		{"console.listen", present(c.Console.Listen)},
		{"console.cert", present(c.Console.Cert)},
		{"console.key", present(c.Console.Key)},
		{"console.plain", c.Console.Plain},
		{"page.listen", present(c.Page.Listen)},
		{"page.cert", present(c.Page.Cert)},
		{"page.key", present(c.Page.Key)},
		{"page.plain", c.Page.Plain},
		{"view.plain", c.View.Plain},
		{"page.keep", c.Page.Keep.String()},
		{"withdraw.spread", c.Withdraw.Spread.String()},
		{"disk.warn_mib", c.Disk.WarnMiB},
		{"disk.reserve_mib", c.Disk.ReserveMiB},
		{"log.level", c.Log.Level},
		{"log.format", c.Log.Format},
		{"peers", c.Peers},
	}
}

func present(value string) string {
	if value == "" {
		return ""
	}
	return "set"
}

// kept says how a secret is kept.
func kept(where string) string {
	if _, ok := config.Credential(where); ok {
		return "credential"
	}
	if where == "" {
		return ""
	}
	return "file"
}

// inside says whether a path lies in the data directory.
func inside(c config.Config, name string) string {
	if rel, err := filepath.Rel(c.Node.DataDir, name); err == nil && filepath.IsLocal(rel) {
		return "in the data directory"
	}
	return "elsewhere"
}

// patterns are the files of a data directory, see docs/OPERATIONS.md; the first
// that fits counts. A name that a person may have chosen is none of them.
var patterns = []string{
	"keys.age", "file.key", "genesis.pem", "raresync.toml", "card.pem", "LOCK", "invitations", "daemon.log",
	"node/ledger/leaves", "node/ledger/hashes.*", "node/ledger/envelopes", "node/ledger/envelopes.idx", "node/ledger/bodies", "node/ledger/bodies.idx",
	"node/ledger/salts", "node/ledger/*",
	"node/state", "node/state.copy", "node/progress", "node/saltless", "node/checkpoint", "node/erased", "node/owed", "node/restored", "node/part",
	"node/cosigned", "node/reserve", "node/QUARANTINE",
	"node/raft/log.db", "node/raft/stable.db", "node/raft/stable.twin", "node/raft/recovering", "node/raft/snapshots/*/*",
	"node/*", "node/*/*", "node/*/*/*", "quota", "quota/*", "asked", "asked/*", "spool/*", "withdrawals", "withdrawals/*", "audit/*", "outbox/*", "outbox/*/*",
}

// other counts the files that no pattern fits.
const other = "(others)"

// File is the files of one pattern.
type File struct {
	Pattern string `json:"pattern"`
	Count   int    `json:"count"`
	Bytes   int64  `json:"bytes"`
	Newest  string `json:"newest"` // RFC 3339, when one of them was last written
}

// Files returns how many files there are in a data directory, and how large, by
// patterns of their names. What cannot be read is left out.
func Files(dataDir string) []File {
	found := map[string]*File{}
	newest := map[string]time.Time{}
	_ = filepath.WalkDir(dataDir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // gone, or closed to this user: what can be seen is told
		}
		rel, err := filepath.Rel(dataDir, name)
		if err != nil {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		p := patternOf(filepath.ToSlash(rel))
		if found[p] == nil {
			found[p] = &File{Pattern: p}
		}
		found[p].Count++
		found[p].Bytes += info.Size()
		if info.ModTime().After(newest[p]) {
			newest[p] = info.ModTime()
			found[p].Newest = info.ModTime().UTC().Format(time.RFC3339)
		}
		return nil
	})
	list := make([]File, 0, len(found))
	for _, f := range found {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Pattern, b.Pattern) })
	return list
}

func patternOf(rel string) string {
	for _, p := range patterns {
		if ok, _ := path.Match(p, rel); ok { // the patterns are well-formed
			return p
		}
	}
	return other
}
