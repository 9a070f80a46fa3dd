package tlog

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
)

const (
	testNetwork = "example.net/rare"
	testOrigin  = testNetwork + "/1"
	testTime    = 1_800_000_000
)

// must unwraps a result that the test takes for granted.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// wantError fails the test unless err is want.
func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// testSeed is SHA-256("raresync tlog test key: " ‖ label).
func testSeed(label string) [32]byte {
	return sha256.Sum256([]byte("raresync tlog test key: " + label))
}

func testEd25519(label string) ed25519.PrivateKey {
	seed := testSeed(label)
	return ed25519.NewKeyFromSeed(seed[:])
}

func testCosigner(node string) *Cosigner {
	seed := testSeed(node + " ml-dsa-44")
	_, ml := mldsa44.NewKeyFromSeed(&seed)
	return must(NewCosigner(testNetwork+"/v/"+node, testEd25519(node+" ed25519"), ml))
}

// A network is a log of some leaves with voters that can sign its checkpoint.
type network struct {
	leaves [][]byte
	store  *store
	cp     Checkpoint
	logs   []*LogSigner
	voters []*Cosigner
	policy *Policy
}

func newNetwork(voters, leaves int) *network {
	n := &network{store: &store{}}
	for i := range leaves {
		n.leaves = append(n.leaves, fmt.Appendf(nil, "leaf %d", i))
		n.store.append(LeafHash(n.leaves[i]))
	}
	n.cp = Checkpoint{Origin: testOrigin, Size: uint64(leaves), Root: n.store.frontier.Root()}
	var logKeys []*VKey
	var voterKeys []*CosignerKey
	for i := range voters {
		node := fmt.Sprintf("n%d", i+1)
		n.logs = append(n.logs, must(NewLogSigner(testOrigin, testEd25519(node+" log"))))
		n.voters = append(n.voters, testCosigner(node))
		logKeys = append(logKeys, n.logs[i].VKey())
		voterKeys = append(voterKeys, n.voters[i].Key())
	}
	n.policy = must(VoterPolicy(logKeys, voterKeys))
	return n
}

// signed returns the checkpoint signed by the first voter as the log and
// cosigned by the voters of the given numbers, a minute apart.
func (n *network) signed(voters ...int) SignedCheckpoint {
	sc := SignedCheckpoint{Checkpoint: n.cp, Signatures: []NoteSignature{must(n.logs[0].Sign(n.cp))}}
	for _, v := range voters {
		sc.Signatures = append(sc.Signatures, must(n.voters[v].cosign(n.cp, testTime+60*uint64(v), false))...)
	}
	return sc
}

func (n *network) proof(index uint64, sc SignedCheckpoint) Proof {
	return Proof{Index: index, Hashes: must(InclusionProof(n.store, index, sc.Size)), Checkpoint: sc}
}

// A store keeps the stored hashes of a growing tree in memory, as a log does
// on disk, and refuses what no log could answer.
type store struct {
	frontier Frontier
	rows     [topStored/heightStep + 1][]Hash
	reads    int
}

func (s *store) append(leaf Hash) {
	s.frontier.Append(leaf, func(height uint, h Hash) {
		s.rows[height/heightStep] = append(s.rows[height/heightStep], h)
	})
}

func (s *store) ReadHashes(height uint, first uint64, dst []Hash) error {
	if err := checkRead(height, dst); err != nil {
		return err
	}
	s.reads++
	row := s.rows[height/heightStep]
	if end := first + uint64(len(dst)); end > uint64(len(row)) {
		return fmt.Errorf("hashes up to %d of %d at height %d", end, len(row), height)
	}
	copy(dst, row[first:])
	return nil
}

func checkRead(height uint, dst []Hash) error {
	if !isStored(height) {
		return fmt.Errorf("height %d is not stored", height)
	}
	if len(dst) == 0 || len(dst) > TileWidth {
		return fmt.Errorf("%d hashes at once", len(dst))
	}
	return nil
}
