package tlog

import (
	"bytes"
	"os"
	"testing"
)

// The golden files belong to a network of three voters, n1 to n3, with 300
// leaves "leaf 0" to "leaf 299". Each key's seed is
// SHA-256("raresync tlog test key: " ‖ label), labels being "n1 log",
// "n1 ed25519", "n1 ml-dsa-44" and so on. n1 leads; n1 and n3 cosign at Unix
// times 1800000000 and 1800000120; the receipt is for leaf 123. A change in
// any byte is a change of the protocol.
func TestGoldenFiles(t *testing.T) {
	n := newNetwork(3, 300)
	sc := n.signed(0, 2)
	for name, got := range map[string][]byte{
		"checkpoint.note":    sc.Marshal(),
		"receipt.tlog-proof": n.proof(123, sc).Marshal(),
		"voters.policy":      n.policy.Marshal(),
	} {
		if want := must(os.ReadFile("testdata/" + name)); !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestGoldenReceiptVerifies(t *testing.T) {
	policy := must(ParsePolicy(must(os.ReadFile("testdata/voters.policy"))))
	_, got, err := VerifyReceipt([]byte("leaf 123"), must(os.ReadFile("testdata/receipt.tlog-proof")), policy)
	if err != nil {
		t.Fatal(err)
	}
	if at := MedianTime(got); len(got) != 2 || at != testTime {
		t.Errorf("got %v with median %d, want two with median %d", got, at, testTime)
	}
}
