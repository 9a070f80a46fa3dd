package config

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/raresync/raresync/registry/entry"
)

// maxSocketBytes is what fits a socket address on every supported system: 104
// or 108 bytes with a terminating zero.
const maxSocketBytes = 100

const credentialPrefix = "credential:"

var (
	nodeID         = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	credentialName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)
)

// Credential returns the NAME of keys.key = "credential:NAME", or false if the
// key is a path.
func (c *Config) Credential() (name string, ok bool) { return Credential(c.Keys.Key) }

// Credential returns the NAME of a setting "credential:NAME", or false if it is a
// path.
func Credential(setting string) (name string, ok bool) {
	return strings.CutPrefix(setting, credentialPrefix)
}

// Problem is one thing wrong with a configuration.
type Problem struct {
	Key  string // as the operator edits it, "listen.node"; "" = the file as a whole
	Text string
}

// String returns the problem on one line, led by its key.
func (p Problem) String() string {
	if p.Key == "" {
		return p.Text
	}
	return p.Key + ": " + p.Text
}

// Problems is the error of a configuration that cannot be used: every problem
// found, in the order of the keys.
type Problems struct {
	File string // "" if the configuration came from no file
	List []Problem
}

// Error returns the problems, one a line when there are several.
func (p *Problems) Error() string {
	head := "configuration"
	if p.File != "" {
		head += " " + p.File
	}
	if len(p.List) == 1 {
		return head + ": " + p.List[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s has %d problems:", head, len(p.List))
	for _, one := range p.List {
		b.WriteString("\n  " + one.String())
	}
	return b.String()
}

func (p *Problems) add(key, format string, args ...any) {
	p.List = append(p.List, Problem{key, fmt.Sprintf(format, args...)})
}

// Validate returns a [*Problems] with every reason why a resolved
// configuration cannot be used, or nil. It looks at no file.
func (c *Config) Validate() error {
	p := &Problems{}
	c.check(p)
	if len(p.List) == 0 {
		return nil
	}
	p.sort()
	return p
}

func (p *Problems) sort() {
	slices.SortStableFunc(p.List, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
}

func (c *Config) check(p *Problems) {
	switch {
	case c.Node.ID == "":
		p.add("node.id", "is required: the node's name in the roster")
	case !nodeID.MatchString(c.Node.ID):
		p.add("node.id", "%q: use 1 to 32 of a-z 0-9 -", c.Node.ID)
	}
	if n := len(c.Listen.AdminSocket); n > maxSocketBytes {
		p.add("listen.admin_socket", "the path has %d bytes, a unix socket's at most %d: choose a shorter one, as /run/raresync/admin.sock", n, maxSocketBytes)
	}
	if c.Listen.Node != "" {
		if err := checkAddress(c.Listen.Node, true); err != nil {
			p.add("listen.node", "%v", err)
		}
	}
	if m := c.Listen.Metrics; m != "" {
		if err := checkLoopback(m); err != nil {
			p.add("listen.metrics", "%v", err)
		}
	}
	if t := c.Listen.Tiles; t != "" {
		if err := checkAddress(t, true); err != nil {
			p.add("listen.tiles", "%v", err)
		}
	}
	checkCredential(p, "keys.key", c.Keys.Key)
	c.Network.check(p)
	checkRate(p, "copy.fetch_kib_per_second", c.Copy.FetchKiBPerSecond)
	checkRate(p, "copy.scrub_kib_per_second", c.Copy.ScrubKiBPerSecond)
	if s := c.Withdraw.Spread; s != 0 && (s < time.Minute || s > maxSpread) {
		p.add("withdraw.spread", "%s: want 0s, or 1m to %s", s, maxSpread)
	}
	c.checkInbox(p)
	c.Page.check(p)
	c.Console.check(p)
	c.checkPeers(p)
	checkMiB(p, "disk.warn_mib", c.Disk.WarnMiB)
	checkMiB(p, "disk.reserve_mib", c.Disk.ReserveMiB)
	oneOf(p, "submit.profile", c.Submit.Profile, "", "report", "cohort", "published")
	if _, ok := entry.ParseDate(c.Submit.ConsentForm); !ok {
		p.add("submit.consent_form", "%q: want a date as 2025-06-01", c.Submit.ConsentForm)
	}
	oneOf(p, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(p, "log.format", c.Log.Format, "text", "json")
	oneOf(p, "language", c.Language, "zh", "en")
}

// Bounds of the times of an inbox.
const (
	minStable, maxStable = time.Second, time.Hour
	minKeep              = 24 * time.Hour
)

func (c *Config) checkInbox(p *Problems) {
	in := c.Inbox
	if inside, err := filepath.Rel(c.Node.DataDir, in.Dir); in.Dir != "" && err == nil && filepath.IsLocal(inside) {
		p.add("inbox.dir", "%s lies in the data directory: choose a folder that clerks may write to", in.Dir)
	}
	if in.Stable < minStable || in.Stable > maxStable {
		p.add("inbox.stable", "%s: want %s to %s", in.Stable, minStable, maxStable)
	}
	for key, keep := range map[string]time.Duration{"inbox.keep_done": in.KeepDone, "inbox.keep_quarantine": in.KeepQuarantine} {
		if keep != 0 && keep < minKeep {
			p.add(key, "%s: want 0s, or at least %s", keep, minKeep)
		}
	}
}

func (g Page) check(p *Problems) {
	if g.Keep != 0 && g.Keep < minKeep {
		p.add("page.keep", "%s: want 0s, or at least %s", g.Keep, minKeep)
	}
	checkSite(p, "page", g.Listen, g.Cert, g.Key, g.Plain)
}

func (g Console) check(p *Problems) { checkSite(p, "console", g.Listen, g.Cert, g.Key, g.Plain) }

// checkSite examines how a web site of the node is served.
func checkSite(p *Problems, site, listen, cert, key string, plain bool) {
	if (cert == "") != (key == "") {
		p.add(site+".cert", "cert and key belong together: give both, or neither")
	}
	if plain && cert != "" {
		p.add(site+".plain", "it is served without TLS, and has a certificate: give one or the other")
	}
	if listen == "" {
		return
	}
	if err := checkAddress(listen, true); err != nil {
		p.add(site+".listen", "%v", err)
	} else if plain && checkLoopback(listen) != nil {
		p.add(site+".plain", "%q: passwords and what concerns patients go without TLS to a loopback address alone, as 127.0.0.1:8443", listen)
	}
}

func checkCredential(p *Problems, key, setting string) {
	if name, ok := Credential(setting); ok && !credentialName.MatchString(name) {
		p.add(key, "credential %q: use the plain name given to LoadCredential", name)
	}
}

// check looks at the way to the network. What may be a password is not shown.
func (n Network) check(p *Problems) {
	for _, address := range n.Copies {
		if _, err := ParseCopy(address); err != nil {
			p.add("network.copies", "%v", err)
		}
	}
	checkCredential(p, "network.proxy_login", n.ProxyLogin)
	switch {
	case n.Proxy == "" && n.ProxyLogin != "":
		p.add("network.proxy_login", "is of no use without network.proxy")
	case n.Proxy == "":
	case strings.Contains(n.Proxy, "@"):
		p.add("network.proxy", "name and password do not belong here: write them into a file of mode 0600, as name:password, and name it with network.proxy_login")
	case !strings.HasPrefix(n.Proxy, proxyScheme):
		p.add("network.proxy", `%q: want http://host:port; a proxy is spoken to in plain HTTP, and what goes through it is sealed`, n.Proxy)
	default:
		if err := checkAddress(n.ProxyAddress(), false); err != nil {
			p.add("network.proxy", "%v", err)
		}
	}
}

// maxSpread is the month within which a request must be answered.
const maxSpread = 30 * 24 * time.Hour

// maxRate is a GiB a second: nobody means more.
const maxRate = 1 << 20

func checkRate(p *Problems, key string, n int64) {
	if n < 0 || n > maxRate {
		p.add(key, "%d: want 0 to %d KiB a second", n, maxRate)
	}
}

func (c *Config) checkPeers(p *Problems) {
	for _, id := range slices.Sorted(maps.Keys(c.Peers)) {
		key := "peers." + id
		if !nodeID.MatchString(id) {
			p.add(key, "is no node id: use 1 to 32 of a-z 0-9 -")
		}
		for _, address := range c.Peers[id] {
			if err := checkAddress(address, false); err != nil {
				p.add(key, "%v", err)
			}
		}
	}
}

// checkAddress wants host:port. Where the node listens, the host may be left
// out and port 0 means any.
func checkAddress(address string, listen bool) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q: want host:port", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 && !listen {
		return fmt.Errorf("%q: port %q is not a number from 1 to 65535", address, port)
	}
	if host == "" && !listen {
		return fmt.Errorf("%q: the host is missing", address)
	}
	return nil
}

// checkLoopback wants an address that this machine alone reaches.
func checkLoopback(address string) error {
	if err := checkAddress(address, true); err != nil {
		return err
	}
	host, _, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%q: anybody who reaches it may ask, so it must be a loopback address, as 127.0.0.1:8472", address)
	}
	return nil
}

// maxMiB is a tebibyte: nobody means more.
const maxMiB = 1 << 20

func checkMiB(p *Problems, key string, n int64) {
	if n < 0 || n > maxMiB {
		p.add(key, "%d: want 0 to %d MiB", n, maxMiB)
	}
}

func oneOf(p *Problems, key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	quoted := make([]string, len(allowed))
	for i, a := range allowed {
		quoted[i] = strconv.Quote(a)
	}
	p.add(key, "%q: want one of %s", value, strings.Join(quoted, ", "))
}
