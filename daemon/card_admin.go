package daemon

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/card"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// putCard takes a card of this hospital.
func (s *service) putCard(r *http.Request) (admin.CardResult, error) {
	var in admin.CardFile
	if json.NewDecoder(http.MaxBytesReader(nil, r.Body, 2*card.MaxBytes)).Decode(&in) != nil { // not quoted
		return admin.CardResult{}, fmt.Errorf("%w: the card is not readable, or larger than %d bytes", errInvalid, card.MaxBytes)
	}
	if err := s.isHospital(); err != nil {
		return admin.CardResult{}, err
	}
	if err := s.mayTake(); err != nil {
		return admin.CardResult{}, err
	}
	out, taken, err := s.postCard(r.Context(), in)
	if refused := (*rule.Refusal)(nil); errors.As(err, &refused) {
		return admin.CardResult{Outcome: string(intake.Refused), Findings: findings(refused.Findings)}, nil
	}
	if err != nil || taken == nil {
		return out, err
	}
	refs, err := s.references(r.Context(), []intake.Taken{*taken}, map[uint64]outbox.Receipt{}, in.Wait)
	if err != nil {
		return admin.CardResult{}, err
	}
	out.Entry = &refs[0]
	return out, nil
}

// postCard checks a card and sends it. A refusal is an error; what holds already
// has nothing taken.
func (s *service) postCard(ctx context.Context, in admin.CardFile) (out admin.CardResult, taken *intake.Taken, err error) {
	kind, c, err := card.Read(in.Data)
	if err != nil {
		return out, nil, err
	}
	own, err := s.ownCards(ctx)
	if err != nil {
		return out, nil, err
	}
	find := func(t entry.Type, id string) int {
		return slices.IndexFunc(own, func(o reader.Opened) bool { return o.Entry.Type == t && o.Entry.Card.ID == id })
	}
	found, err := s.intake.CheckCard(kind, c, func(t entry.Type, id string) bool { return find(t, id) >= 0 })
	if err == nil {
		err = rule.Refusals(found)
	}
	if err != nil {
		return out, nil, err
	}
	out.Findings = findings(found)
	var previous [32]byte
	if at := find(kind, c.ID); at >= 0 {
		before := own[at]
		if reflect.DeepEqual(*before.Entry.Card, c) {
			out.Outcome, out.Entry = string(intake.Known), &admin.EntryRef{
				Type: kind.String(), ID: hex.EncodeToString(before.Entry.ID[:]), Index: before.Index, InLog: true,
			}
			return out, nil, nil
		}
		previous = before.Entry.ID
	}
	e, err := s.intake.Card(kind, c, previous)
	if err != nil {
		return out, nil, err
	}
	t, err := s.intake.Post(ctx, e)
	if out.Outcome = string(intake.Accepted); t.Known {
		out.Outcome = string(intake.Known)
	}
	return out, &t, err
}

// ownCards returns the cards of this hospital that hold.
func (s *service) ownCards(ctx context.Context) ([]reader.Opened, error) {
	changes, err := s.reader.Changes(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(changes.Cards(), func(o reader.Opened) bool { return o.Hospital != s.self.Institution }), nil
}

// biobanks returns the names and ids of this hospital's biobank cards. What cannot
// be read now is no reason to doubt a specimen.
func (s *service) biobanks() (names []string) {
	own, err := s.ownCards(context.Background())
	if err != nil || s.node.Whole() != nil {
		return nil
	}
	for _, o := range own {
		if c := o.Entry.Card; o.Entry.Type == entry.TypeBiobank {
			names = append(names, c.ID, c.Name)
			if c.NameEN != "" {
				names = append(names, c.NameEN)
			}
		}
	}
	return names
}

// cards lists the cards that this node may open.
func (s *service) cards(r *http.Request) ([]admin.Card, error) {
	if err := s.node.Whole(); err != nil {
		return nil, err
	}
	changes, err := s.reader.Changes(r.Context())
	if err != nil {
		return nil, err
	}
	out := []admin.Card{}
	for _, o := range changes.Cards() {
		content, err := o.Entry.Content()
		if err != nil {
			return nil, err
		}
		c := o.Entry.Card
		out = append(out, admin.Card{
			Hospital: o.Hospital, Type: o.Entry.Type.String(), ID: c.ID, Name: c.Name, Within: c.Within, Status: c.Status.String(),
			Index: o.Index, LogTime: rfc3339(o.LogTime), Content: content,
		})
	}
	return out, nil
}
