package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

// The names of the files beside the data.
const (
	ManifestName  = "manifest.json"
	SignatureName = "manifest.sig.json"
	ActName       = "read.act"   // the envelope by which the reader said that it reads
	ReceiptName   = "read.proof" // its receipt, with the leaf: a C2SP tlog-proof
)

// Version names the format.
const Version = "raresync-export-1"

// The limits of an export.
const (
	maxManifestBytes = 16 << 20
	maxEvidenceBytes = 1 << 20
	maxFiles         = 64
)

// ErrManifest reports a manifest or signature that is none.
var ErrManifest = errors.New("not the manifest of an export")

// Manifest is what the reader says of a dataset.
type Manifest struct {
	Version   string `json:"format"`
	Network   string `json:"network"`
	NetworkID string `json:"network_id"` // hex
	Reader    uint32 `json:"reader"`
	Name      string `json:"reader_name"`
	Day       string `json:"day"` // on which it was made, in China

	Purpose   string            `json:"purpose"`
	Recipient string            `json:"recipient"`
	Project   string            `json:"project"` // whose person keys these are; "" where no row is a person
	Dataset   string            `json:"dataset"`
	Question  map[string]string `json:"question"` // what chose the rows
	Form      string            `json:"data_format"`

	Size    uint64   `json:"tree_size"`
	Root    string   `json:"root"`        // hex
	Steps   []string `json:"consistency"` // from that size to the checkpoint of the receipt, hex
	Edition string   `json:"disease_lists"`

	Rows     uint64       `json:"rows"`
	Persons  uint64       `json:"persons"` // 0 where no row is a person
	Genetic  uint64       `json:"genetic_rows"`
	Unopened uint64       `json:"entries_unopened"`
	MinCell  int          `json:"min_cell"` // smallest count that is printed; 0: rows are not counts
	Withheld uint64       `json:"cells_withheld"`
	Month    string       `json:"month"`       // of the log, with whose end the counts are; "": of the tree size
	Tables   []Suppressed `json:"suppression"` // empty where rows are not counts

	Erased  []act.Span `json:"erased"`  // indexes below the tree size that are withdrawn
	Stopped []act.Span `json:"stopped"` // cases left out because their use is stopped

	Act   uint64 `json:"read_act"` // index of the act
	Files []File `json:"files"`    // all but the manifest and its signature, by name
}

// Suppressed says what is not printed of a table of counts.
type Suppressed struct {
	Table    string `json:"table"` // its heading
	Figures  uint64 `json:"figures"`
	Withheld uint64 `json:"withheld"`
	Total    string `json:"total"`               // "none", "printed", or "withheld", one of several at least
	LeftOut  bool   `json:"small_rows_left_out"` // a row of small counts alone is not there; how many are not is not said
}

// File is one of an export's files.
type File struct {
	Name   string `json:"name"`
	Bytes  uint64 `json:"bytes"`
	SHA256 string `json:"sha256"`
}

var fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,63}$`)

// ValidName reports whether a name may be that of a file of an export.
func ValidName(name string) bool { return fileName.MatchString(name) }

// Marshal returns the manifest's bytes: indented JSON.
func (m *Manifest) Marshal() ([]byte, error) { return marshal(m) }

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// strictly reads what marshal wrote: other bytes of the same meaning are refused.
func strictly(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrManifest, err)
	}
	again, err := marshal(into)
	if err != nil || !bytes.Equal(again, raw) {
		return fmt.Errorf("%w: it is not written as raresync writes it", ErrManifest)
	}
	return nil
}

// Parse reads a manifest; nothing is verified.
func Parse(raw []byte) (*Manifest, error) {
	var m Manifest
	if err := strictly(raw, &m); err != nil {
		return nil, err
	}
	if m.Version != Version || len(m.Files) > maxFiles {
		return nil, fmt.Errorf("%w of this version: %q, %d files", ErrManifest, m.Version, len(m.Files))
	}
	for i, f := range m.Files {
		if !ValidName(f.Name) || f.Name == ManifestName || f.Name == SignatureName || i > 0 && m.Files[i-1].Name >= f.Name {
			return nil, fmt.Errorf("%w: its files", ErrManifest)
		}
	}
	return &m, nil
}

// signature is the file of that name.
type signature struct {
	KeyEd25519 []byte `json:"key_ed25519"` // SPKI
	KeyMLDSA65 []byte `json:"key_mldsa65"`
	Ed25519    []byte `json:"ed25519"`
	MLDSA65    []byte `json:"mldsa65"`
}

// Sign signs the bytes of a manifest with the reader's envelope key, and returns the
// file [SignatureName].
func Sign(manifest []byte, key *sign.PrivateKey) ([]byte, error) {
	sig, err := key.Sign(sign.LabelExport, manifest)
	if err != nil {
		return nil, fmt.Errorf("sign export: %w", err)
	}
	return marshal(signature{
		KeyEd25519: key.Public().SPKIEd25519(), KeyMLDSA65: key.Public().SPKIMLDSA(), Ed25519: sig.Ed25519[:], MLDSA65: sig.MLDSA,
	})
}
