package identity

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/rule"
)

// vectorDay is today for the vectors.
var vectorDay = Date{2026, 1, 1}

// A vector is a row of ../testdata/idnorm-v1.csv. In raw, characters outside
// printable ASCII are written \uXXXX; of an NBM it is mother's type, issuer
// and number, birth date and order, joined with "|". In canonical, \0 is the
// byte 00. x_sha256 is SHA-256 of Identity.X, of a LOCAL one of LocalKey.
type vector struct {
	doc                                       Document
	opt                                       Options
	canonical, refusal, warnings, x256, title string
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open("../testdata/idnorm-v1.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	for line, row := range rows[1:] {
		vectors = append(vectors, vector{
			doc:       vectorDocument(t, row),
			opt:       Options{Today: vectorDay, Production: row[4] == "production"},
			canonical: strings.ReplaceAll(row[5], `\0`, "\x00"),
			refusal:   row[6], warnings: row[7], x256: row[8],
			title: strconv.Itoa(line+2) + " " + row[0] + " " + row[9],
		})
	}
	return vectors
}

func vectorDocument(t testing.TB, row []string) Document {
	t.Helper()
	raw, err := strconv.Unquote(`"` + row[2] + `"`)
	if err != nil {
		t.Fatalf("raw %s: %v", row[2], err)
	}
	doc := Document{Type: Type(row[0]), Issuer: row[1], Value: raw}
	if row[3] == "numeric" {
		doc.Origin = Numeric
	}
	if doc.Type == NBM {
		part := strings.Split(raw, "|")
		doc.Value = ""
		doc.Mother = &Document{Type: Type(part[0]), Issuer: part[1], Value: part[2]}
		doc.BirthDate = parseCompact(part[3])
		doc.Order = number(part[4])
	}
	return doc
}

func TestVectors(t *testing.T) {
	seen := map[Type]int{}
	for _, v := range readVectors(t) {
		seen[v.doc.Type]++
		t.Run(v.title, func(t *testing.T) {
			id, findings, err := Normalize(v.doc, v.opt)
			var refusal *rule.Refusal
			errors.As(err, &refusal)
			if refusal.Code() != v.refusal {
				t.Fatalf("refusal: got %v, want %q", err, v.refusal)
			}
			var codes []string
			for _, f := range findings {
				codes = append(codes, f.Code)
			}
			if got := strings.Join(codes, " "); got != v.warnings {
				t.Errorf("warnings: got %q, want %q", got, v.warnings)
			}
			if v.refusal == "" {
				checkCanonical(t, id, v)
			}
		})
	}
	for _, kind := range []Type{RIC, HKM, TWP, FPR17, PP, BC, NBM, LOCAL} {
		if seen[kind] < 4 {
			t.Errorf("%d vectors of type %s, want at least 4", seen[kind], kind)
		}
	}
}

func checkCanonical(t *testing.T, id Identity, v vector) {
	t.Helper()
	if id.content().value != v.canonical {
		t.Errorf("canonical: got %q, want %q", id.content().value, v.canonical)
	}
	x := id.X()
	if id.Type() == LOCAL {
		if x != nil {
			t.Error("a local number has an OPRF input")
		}
		x = id.LocalKey()
	} else if id.LocalKey() != nil {
		t.Error("a number that links has a local key")
	}
	sum := sha256.Sum256(x)
	if got := hex.EncodeToString(sum[:]); got != v.x256 {
		t.Errorf("x: got %s, want %s", got, v.x256)
	}
}

// FuzzNormalize checks that a canonical value is its own canonical form, and
// that nothing printed shows it.
func FuzzNormalize(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(string(v.doc.Type), v.doc.Issuer, v.doc.Value)
	}
	f.Fuzz(func(t *testing.T, kind, issuer, raw string) {
		doc := Document{Type: Type(kind), Issuer: issuer, Value: raw}
		id, _, err := Normalize(doc, Options{Today: vectorDay})
		if err != nil {
			if id != (Identity{}) {
				t.Error("a refusal comes with an identity")
			}
			return
		}
		if id.Type() != LOCAL && !alphanumeric(id.content().value) {
			t.Errorf("canonical value has foreign characters")
		}
		again, _, err := Normalize(Document{Type: id.Type(), Issuer: id.content().issuer, Value: id.content().value}, Options{Today: vectorDay})
		if err != nil || !again.Equal(id) {
			t.Errorf("the canonical form is not stable: %v", err)
		}
	})
}
