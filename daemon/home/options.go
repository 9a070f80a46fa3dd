package home

import (
	"errors"
	"fmt"
	"net"
	"regexp"

	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/act"
)

// The names that package config gives by default.
const (
	fileKeyName = "file.key"
	keysName    = "keys.age"
)

var province = regexp.MustCompile(`^[1-8][0-9]$`)

// ErrOptions reports options that make no node of a network.
var ErrOptions = errors.New("init")

// check reports every reason why no genesis would take the card, as far as the
// card alone tells.
func (o *InitOptions) check() error {
	p := &problems{}
	i := &o.Institution
	cfg := config.Default()
	cfg.Node.ID, cfg.Listen.Node = o.NodeID, o.Listen
	cfg.Network.Proxy, cfg.Network.ProxyLogin, cfg.Network.Copies = o.Proxy, o.ProxyLogin, o.Copies
	var wrong *config.Problems
	if errors.As(cfg.Validate(), &wrong) {
		for _, one := range wrong.List {
			p.add("%s", one)
		}
	}
	if o.Dir == "" {
		p.add("a directory is needed")
	}
	if o.Kind != act.Voter && o.Kind != act.Mirror {
		p.add("a node is a voter or a mirror")
	}
	if o.Kind == act.Voter && len(o.Addresses) == 0 {
		p.add("a voter needs an address at which the others reach it")
	}
	for _, a := range o.Addresses {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" || port == "0" {
			p.add("address %q: want host:port", a)
		}
	}
	if i.Entity == "" || i.NameEN == "" && i.NameZH == "" {
		p.add("the institution's entity and a name are needed")
	}
	o.checkRole(p)
	if len(p.list) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrOptions, errors.Join(p.list...))
}

func (o *InitOptions) checkRole(p *problems) {
	i := &o.Institution
	switch i.Role {
	case act.RoleHospital:
		if !province.MatchString(i.Province) {
			p.add("province %q of a hospital: want two digits of GB/T 2260, as 11", i.Province)
		}
		if i.Rights != 0 {
			p.add("a hospital has no reader rights: a reader is an institution of its own")
		}
	case act.RoleReader:
		if i.Lead {
			p.add("only a hospital can be a lead")
		}
		if i.Rights.Has(act.RightProvince) && (i.Province == "" || i.Rights.Has(act.RightNational)) {
			p.add("a province reader has a province and is no national reader")
		}
	default:
		p.add("an institution is a hospital or a reader")
	}
}

type problems struct{ list []error }

func (p *problems) add(format string, args ...any) {
	p.list = append(p.list, fmt.Errorf(format, args...))
}
