package tlog

import (
	"os"
	"strings"
	"testing"

	formats "github.com/transparency-dev/formats/log"
	formatsnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// verifiersElsewhere reads the vkeys of a policy file with the verifiers of
// x/mod (0x01) and transparency-dev/formats (0x04, 0x06).
func verifiersElsewhere(t *testing.T, policy string) (logs, witnesses []note.Verifier) {
	t.Helper()
	for line := range strings.Lines(policy) {
		switch words := strings.Fields(line); {
		case words[0] == "log":
			logs = append(logs, must(note.NewVerifier(words[1])))
		case words[0] == "witness" && strings.HasSuffix(words[1], "/ed25519"):
			witnesses = append(witnesses, must(formatsnote.NewVerifierForCosignatureV1(words[2])))
		case words[0] == "witness":
			witnesses = append(witnesses, must(formatsnote.NewMLDSAVerifier(words[2])))
		}
	}
	return logs, witnesses
}

func TestGoldenCheckpointIsAcceptedByFormats(t *testing.T) {
	logs, witnesses := verifiersElsewhere(t, string(must(os.ReadFile("testdata/voters.policy"))))
	signed := must(os.ReadFile("testdata/checkpoint.note"))
	_, _, opened, err := formats.ParseCheckpoint(signed, testOrigin, logs[0], witnesses...)
	if err != nil {
		t.Fatal(err)
	}
	if len(opened.Sigs) != 5 || len(opened.UnverifiedSigs) != 0 {
		t.Errorf("signatures: got %d verified and %d not, want 5 and 0", len(opened.Sigs), len(opened.UnverifiedSigs))
	}
	signed[len(signed)-1000] ^= 1 // within the last ML-DSA-44 signature
	if _, _, _, err := formats.ParseCheckpoint(signed, testOrigin, logs[0], witnesses...); err == nil {
		t.Error("accepted with a changed signature")
	}
}
