package founding_test

import (
	"bytes"
	"encoding/pem"
	"testing"

	"github.com/raresync/raresync/registry/founding"
)

// fuzzFile fuzzes what lies inside the armour of a file: what parses, is
// written back to the same file.
func fuzzFile(f *testing.F, kind string, file []byte, parse func([]byte) ([]byte, error)) {
	f.Helper()
	block, _ := pem.Decode(file)
	if block == nil || block.Type != kind {
		f.Fatalf("seed is no %s", kind)
	}
	f.Add(block.Bytes)
	f.Add([]byte{0x82, 0x40, 0x80})
	f.Fuzz(func(t *testing.T, in []byte) {
		file := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: in})
		out, err := parse(file)
		if err == nil && !bytes.Equal(out, file) {
			t.Errorf("%s\nis written back as\n%s", file, out)
		}
	})
}

func FuzzParseCard(f *testing.F) {
	_, plan := members(f)
	fuzzFile(f, "RARESYNC CARD", plan.Cards[0].Marshal(), func(file []byte) ([]byte, error) {
		c, err := founding.ParseCard(file)
		if err != nil {
			return nil, err
		}
		return c.Marshal(), nil
	})
}

func FuzzParseDraft(f *testing.F) {
	d, _ := newDraft(f)
	fuzzFile(f, "RARESYNC DRAFT", d.Marshal(), func(file []byte) ([]byte, error) {
		d, err := founding.ParseDraft(file)
		if err != nil {
			return nil, err
		}
		return d.Marshal(), nil
	})
}

func FuzzParseApproval(f *testing.F) {
	d, all := newDraft(f)
	fuzzFile(f, "RARESYNC APPROVAL", d.MarshalApproval(approvals(f, d, all)[0]), func(file []byte) ([]byte, error) {
		p, err := d.ParseApproval(file)
		if err != nil {
			return nil, err
		}
		return d.MarshalApproval(p), nil
	})
}

func FuzzParseGenesis(f *testing.F) {
	d, all := newDraft(f)
	e, err := d.Finish(approvals(f, d, all), 1, all[0].Envelope)
	if err != nil {
		f.Fatal(err)
	}
	fuzzFile(f, "RARESYNC GENESIS", founding.MarshalGenesis(e), func(file []byte) ([]byte, error) {
		e, err := founding.ParseGenesis(file)
		if err != nil {
			return nil, err
		}
		return founding.MarshalGenesis(e), nil
	})
}

func FuzzAnyFile(f *testing.F) {
	d, all := newDraft(f)
	f.Add(d.Marshal())
	f.Add(all[0].Card.Marshal())
	f.Add([]byte("-----BEGIN RARESYNC CARD-----\nname: value\n\nAAAA\n-----END RARESYNC CARD-----\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if c, err := founding.ParseCard(file); err == nil {
			if _, err := founding.ParseCard(c.Marshal()); err != nil {
				t.Errorf("a card that was read cannot be read again: %v", err)
			}
		}
		if d, err := founding.ParseDraft(file); err == nil {
			if _, err := founding.ParseDraft(d.Marshal()); err != nil {
				t.Errorf("a draft that was read cannot be read again: %v", err)
			}
		}
	})
}
