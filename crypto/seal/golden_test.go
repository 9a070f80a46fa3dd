package seal_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

// hexBytes is a byte string that JSON holds in hexadecimal.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// golden was made by testdata/golden.py with another implementation of every
// algorithm.
type golden struct {
	Network        hexBytes
	Hospital       uint32
	Sequence       uint64
	Attempt        uint32
	KEKClinical    hexBytes `json:"kek_clinical"`
	KEKGenetic     hexBytes `json:"kek_genetic"`
	CommitClinical hexBytes `json:"commit_clinical"`
	CommitGenetic  hexBytes `json:"commit_genetic"`
	Bodies         []goldenBody
	BodiesHash     hexBytes `json:"bodies_hash"`
	ReaderSeed     hexBytes `json:"reader_seed"`
	ReaderPublic   hexBytes `json:"reader_public"`
	ReaderID       hexBytes `json:"reader_id"`
	Wrap           hexBytes
}

type goldenBody struct {
	Place                       uint32
	Part, Salt, Plaintext       hexBytes
	Tag, Ciphertext, Commitment hexBytes
}

func readGolden(t *testing.T) (g golden) {
	t.Helper()
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Bodies) != 3 {
		t.Fatalf("got %d bodies, want 3", len(g.Bodies))
	}
	return g
}

func (g golden) context() seal.Context {
	return seal.Context{Network: [32]byte(g.Network), Hospital: g.Hospital, Sequence: g.Sequence, Attempt: g.Attempt}
}

func (g golden) keks() seal.KEKs {
	return seal.KEKs{Clinical: seal.KEK(g.KEKClinical), Genetic: seal.KEK(g.KEKGenetic)}
}

func TestBodiesAreThoseOfAnotherImplementation(t *testing.T) {
	g := readGolden(t)
	c, keks := g.context(), g.keks()
	var commitments [][32]byte
	for _, want := range g.Bodies {
		p := seal.Part(want.Part[0])
		body, err := c.Seal(want.Place, p, keks.Of(p), [32]byte(want.Salt), want.Plaintext)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(body.Tag[:], want.Tag) || !bytes.Equal(body.Ciphertext, want.Ciphertext) {
			t.Errorf("place %d: body differs", want.Place)
		}
		got := c.Commitment(want.Place, body.Salt, body.Tag, body.Ciphertext)
		if !bytes.Equal(got[:], want.Commitment) {
			t.Errorf("place %d: commitment %x, want %x", want.Place, got, []byte(want.Commitment))
		}
		commitments = append(commitments, got)
		part, plaintext, err := c.Open(want.Place, keks, body)
		if err != nil || part != p || !bytes.Equal(plaintext, want.Plaintext) {
			t.Errorf("place %d: opened %d bytes as %s, %v", want.Place, len(plaintext), part, err)
		}
	}
	if got := seal.BodiesHash(commitments); !bytes.Equal(got[:], g.BodiesHash) {
		t.Errorf("bodies hash %x, want %x", got, []byte(g.BodiesHash))
	}
}

func TestKeysAndWrapAreThoseOfAnotherImplementation(t *testing.T) {
	g := readGolden(t)
	c, keks := g.context(), g.keks()
	commitC, commitG := c.CommitKEK(seal.Clinical, keks.Clinical), c.CommitKEK(seal.Genetic, keks.Genetic)
	if !bytes.Equal(commitC[:], g.CommitClinical) || !bytes.Equal(commitG[:], g.CommitGenetic) {
		t.Errorf("commitments %x and %x differ", commitC, commitG)
	}
	r, err := seal.NewReaderFromSeed([32]byte(g.ReaderSeed))
	if err != nil {
		t.Fatal(err)
	}
	if id := r.Public().ID(); !bytes.Equal(r.Public().Bytes(), g.ReaderPublic) || !bytes.Equal(id[:], g.ReaderID) {
		t.Errorf("public key differs, id %s, want %x", id, []byte(g.ReaderID))
	}
	opened, err := c.Unwrap(r, seal.Wrap{KeyID: g.ReaderID, Data: g.Wrap}, commitC, commitG)
	if err != nil {
		t.Fatal(err)
	}
	if opened.KEKs != keks || !opened.HasClinical || !opened.HasGenetic {
		t.Error("the wrap opens to other keys")
	}
}
