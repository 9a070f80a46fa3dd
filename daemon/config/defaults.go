package config

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:embed raresync.toml
var defaults string

// The lines of the annotated file that differ from node to node.
const (
	idLine     = `id = "hospital-1"`
	listenLine = `#node = ""`
	proxyLine  = `#proxy = ""`
	loginLine  = `#proxy_login = ""`
	copiesLine = `#copies = []`
)

// Initial is what a new node's file says beside the defaults; all but ID may be
// empty.
type Initial struct {
	ID, Listen        string
	Proxy, ProxyLogin string
	Copies            []string
}

// DefaultsTOML returns the annotated file: every key with its default, after
// a hash, beneath the words that explain it. Only node.id must be set.
func DefaultsTOML() []byte { return []byte(defaults) }

// InitialTOML returns the annotated file for a new node.
func InitialTOML(i Initial) []byte {
	text := defaults
	set := func(line, key, value string) {
		text = strings.Replace(text, line, key+" = "+value, 1)
	}
	set(idLine, "id", strconv.Quote(i.ID))
	for _, one := range []struct{ line, key, value string }{
		{listenLine, "node", i.Listen}, {proxyLine, "proxy", i.Proxy}, {loginLine, "proxy_login", i.ProxyLogin},
	} {
		if one.value != "" {
			set(one.line, one.key, strconv.Quote(one.value))
		}
	}
	if len(i.Copies) > 0 {
		quoted := make([]string, len(i.Copies))
		for n, address := range i.Copies {
			quoted[n] = strconv.Quote(address)
		}
		set(copiesLine, "copies", "["+strings.Join(quoted, ", ")+"]")
	}
	return []byte(text)
}
