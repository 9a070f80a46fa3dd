package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
)

const maxDeclarationBytes = 4096

// declareSalts tells the network that this node is kept in a backup with salts,
// and answers once the log has it. A backup is made after that, never before.
func (s *service) declareSalts(r *http.Request) (admin.SaltsBackup, error) {
	var in admin.SaltsBackup
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxDeclarationBytes)).Decode(&in); err != nil {
		return in, fmt.Errorf("%w: the declaration is not readable", errInvalid)
	}
	if err := s.checkDeclaration(in); err != nil {
		return in, err
	}
	_, err := s.outbox.AddAct(r.Context(), act.Act{
		Version: act.Version, Type: act.TypeSaltsBackup,
		Payload: act.SaltsBackup{Node: s.self.ID, Size: in.Size, Expiry: in.Expiry}.Marshal(),
	})
	if err != nil {
		return in, fmt.Errorf("declare a backup with salts: %w", err)
	}
	view, err := s.node.Wait(r.Context(), func(v *state.State) bool {
		known, found := v.SaltsBackup(s.self.ID)
		return found && known.Size >= in.Size && known.Expiry >= in.Expiry
	})
	if err != nil {
		return in, fmt.Errorf("declare a backup with salts: %w", err)
	}
	known, _ := view.SaltsBackup(s.self.ID)
	return admin.SaltsBackup{Size: known.Size, Expiry: known.Expiry}, nil
}

// declaredBackups lists what the network knows of backups with salts, those that
// have expired too: that a file was destroyed is its owner's word.
func (s *service) declaredBackups(*http.Request) ([]admin.DeclaredBackup, error) {
	view := s.node.View()
	out := make([]admin.DeclaredBackup, len(view.SaltsBackups))
	for i, b := range view.SaltsBackups {
		out[i] = admin.DeclaredBackup{Node: b.Node, Entries: b.Size, Expires: time.UnixMilli(int64(b.Expiry)).UTC().Format(time.RFC3339)}
		if n, ok := view.Node(b.Node); ok {
			out[i].Institution = n.Institution
		}
	}
	return out, nil
}

// checkDeclaration refuses what the network would refuse, with room for the
// log time to move on, before it has a place in the outbox.
func (s *service) checkDeclaration(in admin.SaltsBackup) error {
	view := s.node.View()
	now := max(view.LogTime, uint64(s.clock().UnixMilli()))
	switch {
	case in.Size == 0 || in.Size > view.Tree.Size():
		return fmt.Errorf("%w: a backup of %d entries", errInvalid, in.Size)
	case in.Expiry < now+uint64(time.Hour.Milliseconds()) || in.Expiry > now+view.MaxSaltsLife()-uint64(time.Hour.Milliseconds()):
		return fmt.Errorf("%w: a backup with salts lasts an hour at least, and less than %d days", errInvalid, view.Policy.InForce().SaltsDays)
	}
	return nil
}
