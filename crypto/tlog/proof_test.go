package tlog

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	formats "github.com/transparency-dev/formats/proof"
)

func TestReceiptsVerify(t *testing.T) {
	n := newNetwork(3, 20)
	sc := n.signed(0, 2)
	for index, leaf := range n.leaves {
		p, cosignatures, err := VerifyReceipt(leaf, n.proof(uint64(index), sc).Marshal(), n.policy)
		if err != nil {
			t.Fatal(err)
		}
		if p.Index != uint64(index) || p.Checkpoint.Checkpoint != n.cp || len(cosignatures) != 2 {
			t.Errorf("receipt of leaf %d: got %d under %+v by %v", index, p.Index, p.Checkpoint.Checkpoint, cosignatures)
		}
	}
}

func TestReceiptsOfSomethingElseAreRefused(t *testing.T) {
	n := newNetwork(3, 20)
	good := n.proof(7, n.signed(0, 1))
	change := func(f func(*Proof)) []byte {
		p := good
		p.Hashes, p.Checkpoint.Signatures = slices.Clone(p.Hashes), slices.Clone(p.Checkpoint.Signatures)
		f(&p)
		return p.Marshal()
	}
	for name, tc := range map[string]struct {
		leaf    []byte
		receipt []byte
		want    error
	}{
		"the leaf it is for":    {n.leaves[7], good.Marshal(), nil},
		"with extra data":       {n.leaves[7], change(func(p *Proof) { p.Extra = []byte("x") }), nil},
		"another leaf":          {n.leaves[8], good.Marshal(), ErrProof},
		"no leaf":               {nil, good.Marshal(), ErrProof},
		"another index":         {n.leaves[7], change(func(p *Proof) { p.Index = 8 }), ErrProof},
		"an index at the size":  {n.leaves[7], change(func(p *Proof) { p.Index = 20 }), ErrProof},
		"a hash less":           {n.leaves[7], change(func(p *Proof) { p.Hashes = p.Hashes[1:] }), ErrProof},
		"another size":          {n.leaves[7], change(func(p *Proof) { p.Checkpoint.Size = 19 }), ErrSignature},
		"an earlier size":       {n.leaves[7], change(func(p *Proof) { p.Checkpoint.Size = 16 }), ErrProof},
		"another root":          {n.leaves[7], change(func(p *Proof) { p.Checkpoint.Root[0] ^= 1 }), ErrProof},
		"another origin":        {n.leaves[7], change(func(p *Proof) { p.Checkpoint.Origin += "0" }), ErrPolicy},
		"too few cosignatures":  {n.leaves[7], change(func(p *Proof) { p.Checkpoint.Signatures = p.Checkpoint.Signatures[:4] }), ErrPolicy},
		"a receipt cut short":   {n.leaves[7], good.Marshal()[:200], ErrMalformed},
		"a receipt and a space": {n.leaves[7], append(good.Marshal(), ' '), ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := VerifyReceipt(tc.leaf, tc.receipt, n.policy)
			wantError(t, err, tc.want)
		})
	}
}

// With one voter no signature is to spare, so no byte can change unseen. Of the
// ML-DSA-44 line's base64 every 16th is tried: that no byte of the signature
// itself can change, and that base64 has one spelling, have tests of their own.
func TestEveryChangedByteOfAReceiptIsSeen(t *testing.T) {
	n := newNetwork(1, 20)
	receipt := n.proof(7, n.signed(0)).Marshal()
	mldsaLine := bytes.LastIndexByte(receipt, ' ') + 1
	for i := range receipt {
		if i > mldsaLine && i%16 != 0 && i != len(receipt)-1 {
			continue
		}
		receipt[i] ^= 1
		if _, _, err := VerifyReceipt(n.leaves[7], receipt, n.policy); err == nil {
			t.Errorf("verifies with byte %d changed", i)
		}
		receipt[i] ^= 1
	}
	if _, _, err := VerifyReceipt(n.leaves[7], receipt, n.policy); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func TestProofIsReadByFormats(t *testing.T) {
	n := newNetwork(1, 20)
	for name, p := range map[string]Proof{
		"plain":      n.proof(7, n.signed(0)),
		"with extra": {Extra: []byte("extra data"), Index: 0, Checkpoint: n.signed(0)},
	} {
		t.Run(name, func(t *testing.T) {
			var got formats.TLogProof
			if err := got.Unmarshal(p.Marshal()); err != nil {
				t.Fatal(err)
			}
			if got.Index != p.Index || len(got.Hashes) != len(p.Hashes) || !bytes.Equal(got.ExtraData, p.Extra) {
				t.Errorf("got %+v, want %+v", got, p)
			}
			for i, h := range got.Hashes {
				if Hash(h) != p.Hashes[i] {
					t.Errorf("hash %d: got %x, want %x", i, h, p.Hashes[i])
				}
			}
			if !bytes.Equal(got.Checkpoint, p.Checkpoint.Marshal()) {
				t.Errorf("checkpoint: got %q, want %q", got.Checkpoint, p.Checkpoint.Marshal())
			}
			if back := must(ParseProof(got.Marshal())); !bytes.Equal(back.Marshal(), p.Marshal()) {
				t.Errorf("back: got %q, want %q", back.Marshal(), p.Marshal())
			}
		})
	}
}

const (
	proofHash = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	proofHead = proofHeader + "\nindex 3\n"
)

func TestProofIsSpelledOneWay(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		want error
	}{
		"no hash":                {proofHead + "\n" + specNote, nil},
		"64 hashes":              {proofHead + strings.Repeat(proofHash, 64) + "\n" + specNote, nil},
		"extra data":             {proofHeader + "\nextra eA==\nindex 0\n\n" + specNote, nil},
		"65 hashes":              {proofHead + strings.Repeat(proofHash, 65) + "\n" + specNote, ErrMalformed},
		"empty":                  {"", ErrMalformed},
		"another version":        {"c2sp.org/tlog-proof@v2\nindex 3\n\n" + specNote, ErrMalformed},
		"no index":               {proofHeader + "\n\n" + specNote, ErrMalformed},
		"index with a zero":      {proofHeader + "\nindex 03\n\n" + specNote, ErrMalformed},
		"index of 2^63":          {proofHeader + "\nindex 9223372036854775808\n\n" + specNote, ErrMalformed},
		"index with a space":     {proofHeader + "\nindex  3\n\n" + specNote, ErrMalformed},
		"empty extra data":       {proofHeader + "\nextra \nindex 3\n\n" + specNote, ErrMalformed},
		"extra data not base64":  {proofHeader + "\nextra ?\nindex 3\n\n" + specNote, ErrMalformed},
		"extra data twice":       {proofHeader + "\nextra eA==\nextra eA==\nindex 3\n\n" + specNote, ErrMalformed},
		"extra data alone":       {proofHeader + "\nextra eA==\n\n" + specNote, ErrMalformed},
		"extra data too long":    {proofHeader + "\nextra " + encodeBase64(make([]byte, MaxExtraBytes+1)) + "\nindex 3\n\n" + specNote, ErrMalformed},
		"a hash of 31 bytes":     {proofHead + "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n\n" + specNote, ErrMalformed},
		"a hash and a return":    {proofHead + strings.Replace(proofHash, "\n", "\r\n", 1) + "\n" + specNote, ErrMalformed},
		"no empty line":          {proofHead + proofHash, ErrMalformed},
		"two empty lines":        {proofHead + "\n\n" + specNote, ErrMalformed},
		"no checkpoint":          {proofHead + "\n", ErrMalformed},
		"checkpoint, unsigned":   {proofHead + "\n" + specText, ErrMalformed},
		"longer than any proof":  {proofHead + "\n" + specNote + strings.Repeat("A", MaxProofBytes), ErrMalformed},
		"a header with a return": {proofHeader + "\r\nindex 3\n\n" + specNote, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParseProof([]byte(tc.file))
			wantError(t, err, tc.want)
			if err == nil && string(p.Marshal()) != tc.file {
				t.Fatalf("written %q, want %q", p.Marshal(), tc.file)
			}
		})
	}
}

func FuzzParseProof(f *testing.F) {
	f.Add([]byte(proofHead + proofHash + "\n" + specNote))
	f.Add([]byte(proofHeader + "\nextra eA==\nindex 0\n\n" + specNote))
	f.Add([]byte(proofHead + "\n\n" + specNote))
	f.Fuzz(func(t *testing.T, file []byte) {
		if p, err := ParseProof(file); err == nil && !bytes.Equal(p.Marshal(), file) {
			t.Fatalf("%q is written %q", file, p.Marshal())
		}
	})
}
