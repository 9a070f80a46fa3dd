package daemon

import (
	"strings"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

// addressee returns for which other hospital of a state an encoded entry is
// meant, or 0.
func (s *service) addressee(view *state.State, cbor []byte) uint32 {
	if !entry.MayBeAddressed(cbor) {
		return 0
	}
	e, err := entry.Decode(cbor)
	if err != nil {
		return 0
	}
	for i, m := range view.Members {
		number := uint32(i + 1)
		if m.Role != act.RoleHospital || number == s.self.Institution || !e.Addressee().Is(number, m.Entity) {
			continue
		}
		if _, removed := view.RemovedAt(number); !removed {
			return number
		}
	}
	return 0
}

// outside says why a hospital, by its unified social credit code, is not of this
// network, or "" if it is.
func (s *service) outside(code string) string {
	view, why := s.node.View(), "not a hospital of this network"
	for i, m := range view.Members {
		if m.Role != act.RoleHospital || !strings.EqualFold(m.Entity, code) {
			continue
		}
		if _, removed := view.RemovedAt(uint32(i + 1)); !removed {
			return ""
		}
		why = "removed from this network"
	}
	return why
}
