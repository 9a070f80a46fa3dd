package sign_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/sign"
)

func TestPrivateKeyDoesNotPrint(t *testing.T) {
	var ed, mldsa [32]byte
	copy(ed[:], "an Ed25519 seed of 32 characters")
	copy(mldsa[:], "an ML-DSA seed of 32 characters.")
	k := sign.NewFromSeeds(sign.PurposeEnvelope, ed, mldsa)
	holder := struct{ key *sign.PrivateKey }{k}
	nested := struct{ key sign.PrivateKey }{*k}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c"} {
		for _, v := range []any{k, *k, []any{k}, map[string]any{"k": *k}, holder, &holder, nested, &nested} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("key", "pointer", k, "value", *k, "holder", holder, "list", []any{k})
	}
	encoded, err := json.Marshal([]any{k, *k, holder})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	out.WriteString(k.String() + k.GoString())
	if !strings.Contains(out.String(), "[private key]") {
		t.Error("nothing says [private key]")
	}
	for _, seed := range [][32]byte{ed, mldsa} {
		part := seed[3:11]
		for _, form := range []string{
			string(part), hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)),
			strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(fmt.Sprintf("%#v", part), "[]byte{}"),
		} {
			if strings.Contains(out.String(), form) {
				t.Errorf("a seed is printed as %q", form)
			}
		}
	}
}
