package keyshare

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "draw testdata/ceremony-v1.json anew; nodes of other releases will not understand it")

// frozenCeremony is a DKG of two holders as made when the protocol froze, in
// hexadecimal. Sealing draws its own randomness, so the deals are pinned, and
// opened.
type frozenCeremony struct {
	Seeds, Dealings, Public1, Commits, Deals, Pieces1, Reveal1 []string
	Record, Share1, Transcript                                 string
}

func frozenRun() Run {
	return Run{Network: [32]byte(bytes.Repeat([]byte{7}, 32)), Number: 1000, Origin: DKG, Epoch: 1, Threshold: 2, Holders: 2, Dealers: 2}
}

func hexes[T ~[]byte](values ...T) (out []string) {
	for _, v := range values {
		out = append(out, hex.EncodeToString(v))
	}
	return out
}

// play derives what follows from seeds, dealings and deals.
func play(t *testing.T, seeds [][32]byte, dealings [][]byte, deals []Deal) frozenCeremony {
	t.Helper()
	run := frozenRun()
	var f frozenCeremony
	c := ceremony{run: run, deals: deals}
	for _, seed := range seeds {
		key, err := CeremonyKeyFromSeed(seed)
		if err != nil {
			t.Fatal(err)
		}
		public, err := key.Public(run)
		if err != nil {
			t.Fatal(err)
		}
		c.keys, c.public = append(c.keys, key), append(c.public, public)
		f.Seeds = append(f.Seeds, hexes(seed[:])...)
	}
	for i, b := range dealings {
		d, err := ParseDealing(b)
		if err != nil {
			t.Fatal(err)
		}
		if deals == nil {
			deal, err := d.Deal(c.keysFor(uint16(i + 1)))
			if err != nil {
				t.Fatal(err)
			}
			c.deals = append(c.deals, deal)
		}
		commit, revealed := d.Commit(), c.keys[0].Reveal(run, uint16(i+1))
		c.commits = append(c.commits, commit)
		f.Dealings, f.Commits = append(f.Dealings, hexes(b)...), append(f.Commits, hexes(commit[:])...)
		f.Deals = append(f.Deals, hexes(c.deals[i].AppendCBOR(nil))...)
		f.Public1 = append(f.Public1, hexes(c.public[0][i][:32])...)
		f.Reveal1 = append(f.Reveal1, hexes(revealed[:])...)
	}
	record, shares := c.finishDKG(t)
	for _, p := range c.pieces(t, 1) {
		raw := p.scalar.Reveal()
		f.Pieces1 = append(f.Pieces1, hexes(raw[:])...)
	}
	transcript := Transcript(run, c.public, c.commits, c.deals)
	f.Record, f.Share1 = hex.EncodeToString(record.AppendCBOR(nil)), hex.EncodeToString(MarshalShare(shares[0]))
	f.Transcript = hex.EncodeToString(transcript[:])
	return f
}

func TestFrozenCeremonyIsStillThis(t *testing.T) {
	const file = "testdata/ceremony-v1.json"
	seeds := [][32]byte{{1}, {2}}
	if *update {
		var dealings [][]byte
		for i := range 2 {
			var random []byte
			for block := range 3 {
				sum := sha512.Sum512([]byte{byte(i), byte(block)})
				random = append(random, sum[:]...)
			}
			d, err := NewDealing(frozenRun(), uint16(i+1), bytes.NewReader(random))
			if err != nil {
				t.Fatal(err)
			}
			dealings = append(dealings, d.Marshal())
		}
		b, err := json.MarshalIndent(play(t, seeds, dealings, nil), "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want frozenCeremony
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	var dealings [][]byte
	var deals []Deal
	for i := range want.Deals {
		dealing, err := hex.DecodeString(want.Dealings[i])
		if err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(want.Deals[i])
		if err != nil {
			t.Fatal(err)
		}
		deal, err := DecodeDeal(raw)
		if err != nil {
			t.Fatal(err)
		}
		dealings, deals = append(dealings, dealing), append(deals, deal)
	}
	got := play(t, seeds, dealings, deals)
	for name, pair := range map[string][2][]string{
		"public keys":    {got.Public1, want.Public1},
		"commit hashes":  {got.Commits, want.Commits},
		"pieces":         {got.Pieces1, want.Pieces1},
		"revealed seeds": {got.Reveal1, want.Reveal1},
		"record":         {{got.Record}, {want.Record}},
		"share":          {{got.Share1}, {want.Share1}},
		"transcript":     {{got.Transcript}, {want.Transcript}},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s\n got %s\nwant %s", name, pair[0], pair[1])
		}
	}
	for i, d := range deals {
		again, err := ParseDealing(dealings[i])
		if err != nil {
			t.Fatal(err)
		}
		commit := again.Commit()
		if proof := provePossession(again.coefficients[0].scalar(), d.Commitments[0], commit); proof != d.Proof {
			t.Errorf("dealer %d: proof %x, want %x", i+1, proof, d.Proof)
		}
	}
}
