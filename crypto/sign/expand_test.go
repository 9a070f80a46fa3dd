package sign

import (
	"sync"
	"testing"
)

func TestAKeyIsExpandedWhenItIsUsed(t *testing.T) {
	private, err := Generate(PurposeEnvelope)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("message")
	sig, err := private.Sign(LabelEntries, message)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ParsePublicKey(PurposeEnvelope, private.Public().SPKIEd25519(), private.Public().SPKIMLDSA())
	if err != nil {
		t.Fatal(err)
	}
	if read.mldsa65.Load() != nil {
		t.Error("expanded before it is used")
	}
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			if err := read.Verify(LabelEntries, message, sig); err != nil {
				t.Error(err)
			}
		})
	}
	users.Wait()
	if read.mldsa65.Load() == nil {
		t.Error("expanded again each time")
	}
}
