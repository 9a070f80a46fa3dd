package sign_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/sign"
)

func TestEachLogEpochHasAKeyOfItsOwn(t *testing.T) {
	first := sign.NewFromSeeds(sign.PurposeLog, [32]byte{1}, [32]byte{})
	seen := map[sign.KeyID]string{first.Public().ID(): "the first"}
	for name, of := range map[string]struct {
		network [32]byte
		epoch   uint64
	}{"epoch 2": {[32]byte{7}, 2}, "epoch 3": {[32]byte{7}, 3}, "epoch 2 elsewhere": {[32]byte{8}, 2}} {
		k, err := first.LogKeyOf(of.network, of.epoch)
		if err != nil {
			t.Fatal(err)
		}
		if other, is := seen[k.Public().ID()]; is || k.Purpose() != sign.PurposeLog {
			t.Errorf("%s has the key of %s, for %s", name, other, k.Purpose())
		}
		seen[k.Public().ID()] = name
		again, err := first.LogKeyOf(of.network, of.epoch)
		if err != nil || again.Public().ID() != k.Public().ID() {
			t.Errorf("%s has another key the second time: %v", name, err)
		}
	}
}

// The seed is what a few lines of Python make of the same: hmac.new(bytes([1]+[0]*31),
// b"raresync/v1/log-epoch\0" + bytes([7]+[0]*31) + (2).to_bytes(8,"big") + b"\1", "sha256").
func TestTheKeyOfAnEpochIsFixed(t *testing.T) {
	k, err := sign.NewFromSeeds(sign.PurposeLog, [32]byte{1}, [32]byte{}).LogKeyOf([32]byte{7}, 2)
	if err != nil {
		t.Fatal(err)
	}
	const want = "9723e795b50cd0297c0defa101b9d8a71a9bb31c00a3dfda85b744addd66f612"
	if ed, _ := k.Seeds(); hex.EncodeToString(ed[:]) != want {
		t.Errorf("seed %x, want %s", ed, want)
	}
}

func TestOnlyALogKeyHasEpochs(t *testing.T) {
	tls := sign.NewFromSeeds(sign.PurposeTLS, [32]byte{1}, [32]byte{})
	log := sign.NewFromSeeds(sign.PurposeLog, [32]byte{1}, [32]byte{})
	for name, make := range map[string]func() (*sign.PrivateKey, error){
		"a TLS key": func() (*sign.PrivateKey, error) { return tls.LogKeyOf([32]byte{7}, 2) },
		"epoch 1":   func() (*sign.PrivateKey, error) { return log.LogKeyOf([32]byte{7}, 1) },
	} {
		if _, err := make(); !errors.Is(err, sign.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
