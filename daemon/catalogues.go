package daemon

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

var (
	errNoEdition  = errors.New("no such edition of the disease lists")
	errNotCarried = errors.New("this program does not carry the edition of the genesis")
)

// tables are the editions that were read from the log, by the hash of their table.
// They are safe for concurrent use.
type tables struct {
	mu   sync.Mutex
	read map[[32]byte]*catalog.Catalog
}

// newest returns the edition to check and count by: the last that this node's copy
// has. That of a genesis is the program's own, whichever the genesis names.
func (s *service) newest() (*catalog.Catalog, error) {
	view := s.node.View()
	if len(view.Editions) == 0 {
		return catalog.Current(), nil
	}
	return s.table(view.Editions[len(view.Editions)-1])
}

// edition returns an edition by its name; "" is the newest.
func (s *service) edition(name string) (*catalog.Catalog, error) {
	if name == "" {
		return s.newest()
	}
	view := s.node.View()
	for _, e := range view.Editions {
		if e.Edition == name {
			return s.table(e)
		}
	}
	switch {
	case name != view.Catalogue.Edition:
		return nil, fmt.Errorf("%w: %s", errNoEdition, name)
	case view.Catalogue.Hash != catalog.Current().Hash():
		return nil, fmt.Errorf("%w: %s", errNotCarried, name)
	}
	return catalog.Current(), nil
}

// table reads an edition from the act that brought it.
func (s *service) table(e state.Edition) (*catalog.Catalog, error) {
	s.tables.mu.Lock()
	defer s.tables.mu.Unlock()
	if c := s.tables.read[e.Hash]; c != nil {
		return c, nil
	}
	c, err := s.readTable(e)
	if err != nil {
		return nil, fmt.Errorf("edition %s: %w", e.Edition, err)
	}
	if s.tables.read == nil {
		s.tables.read = map[[32]byte]*catalog.Catalog{}
	}
	s.tables.read[e.Hash] = c
	return c, nil
}

func (s *service) readTable(e state.Edition) (*catalog.Catalog, error) {
	p, err := s.node.Envelope(e.Envelope)
	if err != nil {
		return nil, err
	}
	env, err := envelope.DecodeHeld(p.Envelope)
	if err != nil {
		return nil, err
	}
	if len(env.Bodies) != 1 {
		return nil, fmt.Errorf("envelope %d is no act", e.Envelope)
	}
	a, err := act.Decode(env.Bodies[0].Ciphertext)
	if err != nil {
		return nil, err
	}
	d, err := act.DecodeEdition(a.Payload)
	if err != nil {
		return nil, err
	}
	if d.Catalogue != e.Catalogue {
		return nil, fmt.Errorf("envelope %d holds %s", e.Envelope, d.Edition)
	}
	return d.Open()
}

// summary is an entry's, in the words of the edition by which it was matched.
func (s *service) summary(e entry.Entry) entry.Summary {
	edition := ""
	if e.Case != nil {
		if d, ok := e.Case.Principal(); ok {
			edition = d.Match.Edition
		}
	}
	return e.Summary(s.nameBy(edition))
}

// nameBy returns the edition of a name. One that cannot be read gives way to the
// newest, which names what it knows.
func (s *service) nameBy(edition string) *catalog.Catalog {
	if c, err := s.edition(edition); err == nil {
		return c
	}
	if c, err := s.newest(); err == nil {
		return c
	}
	return catalog.Current()
}

// editions lists the editions in force, that of the genesis first.
func (s *service) editions(*http.Request) ([]admin.Edition, error) {
	view := s.node.View()
	out := []admin.Edition{}
	for i, c := range view.Catalogues() {
		e := admin.Edition{Edition: c.Edition, Hash: hex.EncodeToString(c.Hash[:]), Newest: i == len(view.Editions)}
		if i > 0 {
			e.Envelope = view.Editions[i-1].Envelope
		}
		switch table, err := s.edition(c.Edition); {
		case err == nil:
			e.Diseases = len(table.All())
		case !errors.Is(err, errNotCarried):
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// editionTable returns the table of an edition.
func (s *service) editionTable(r *http.Request) (admin.Table, error) {
	c, err := s.edition(r.URL.Query().Get("edition"))
	if err != nil {
		return admin.Table{}, err
	}
	return admin.Table{Edition: c.Edition(), Table: c.Marshal()}, nil
}
