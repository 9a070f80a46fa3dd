package machine_test

import (
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

func TestAProofReadFromADamagedDiskIsNotHandedOut(t *testing.T) {
	h := newHistory(t)
	for name, off := range map[string]int{"leaves": 3*ledger.LeafRecordBytes + 40, "hashes.0": 2 * ledger.HashBytes} {
		dir := t.TempDir()
		m := h.follower(t, dir, 6)
		s := h.at[6].State
		size, root := s.Tree.Size(), s.Tree.Root()
		leaf, proof, err := m.Prove(3, size, root)
		if err != nil || tlog.VerifyInclusion(tlog.LeafHash(leaf), 3, size, proof, root) != nil {
			t.Fatalf("on a sound disk: %v", err)
		}
		edit(t, dir, name, flipAt(off))
		if _, _, err := m.Prove(3, size, root); err == nil {
			t.Errorf("%s: a proof that leads nowhere is handed out", name)
		}
		if m.Damage() == nil {
			t.Errorf("%s: the damage is not noticed", name)
		}
	}
}
