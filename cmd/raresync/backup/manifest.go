package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
)

// Format names the layout of the file.
const Format = "raresync backup 1"

// The parts that are not the ledger's.
const (
	genesisPart    = "genesis.pem"
	checkpointPart = "checkpoint"
	ledgerFolder   = "ledger/"
	saltsPart      = "salts.age"
	linksPart      = "links"
	manifestPart   = "manifest.json"
	sumsPart       = "SHA256SUMS"
)

// Manifest says what a backup is of. It is written last, when what it says has
// been derived from the parts.
type Manifest struct {
	Format    string `json:"format"`
	Layout    int    `json:"layout"` // of the ledger's files
	Network   string `json:"network"`
	NetworkID string `json:"network_id"`
	Node      string `json:"node"`    // whose copy it is
	Version   string `json:"version"` // of the program that made it
	Made      string `json:"made"`    // RFC 3339

	// What the envelopes make: their number, the number of entries, the root
	// over them, and the state's encoding.
	Envelopes   uint64 `json:"envelopes"`
	Entries     uint64 `json:"entries"`
	Root        string `json:"root"`
	StateBytes  uint64 `json:"state_bytes"`
	StateSHA256 string `json:"state_sha256"`

	// SaltsExpire is when a backup with salts must have been destroyed, as the
	// network was told; "" without salts.
	SaltsExpire string `json:"salts_expire,omitempty"`
}

func manifestOf(r *audit.Result, s *state.State) Manifest {
	encoded := s.AppendCBOR(nil)
	sum := sha256.Sum256(encoded)
	return Manifest{
		Format: Format, Layout: ledger.Layout, Network: r.Network, NetworkID: r.NetworkID,
		Envelopes: r.Envelopes, Entries: r.Entries, Root: r.Root,
		StateBytes: uint64(len(encoded)), StateSHA256: hex.EncodeToString(sum[:]),
	}
}

func (m Manifest) marshal() ([]byte, error) {
	raw, err := json.MarshalIndent(m, "", " ")
	return append(raw, '\n'), err
}

// parseManifest reads what marshal wrote, and nothing else.
func parseManifest(raw []byte) (Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, unverified("%s: %w", manifestPart, err)
	}
	if m.Format != Format || m.Layout != ledger.Layout {
		return m, unverified("%s: %q with ledger layout %d, this release reads %q with %d",
			manifestPart, m.Format, m.Layout, Format, ledger.Layout)
	}
	if again, err := m.marshal(); err != nil || !bytes.Equal(again, raw) {
		return m, unverified("%s: not as it is written", manifestPart)
	}
	if _, err := time.Parse(time.RFC3339, m.SaltsExpire); m.SaltsExpire != "" && err != nil {
		return m, unverified("%s: %w", manifestPart, err)
	}
	return m, nil
}

// expired reports whether the salts in the backup should have been destroyed.
func (m Manifest) expired(now time.Time) bool {
	t, err := time.Parse(time.RFC3339, m.SaltsExpire)
	return err == nil && now.After(t)
}

// sums returns the lines that sha256sum reads.
func sums(sections []section) []byte {
	var b bytes.Buffer
	for _, s := range sections {
		fmt.Fprintf(&b, "%x  %s\n", s.sha256, s.name)
	}
	return b.Bytes()
}

// checkParts wants the parts in the order in which Save writes them. The link file
// may be among them.
func checkParts(found []section, salts bool) error {
	want := []string{genesisPart, checkpointPart}
	for _, p := range (ledger.Lengths{}).Parts() {
		if p.Name != ledger.SaltsPart {
			want = append(want, ledgerFolder+p.Name)
		}
	}
	if slices.ContainsFunc(found, func(s section) bool { return s.name == linksPart }) {
		want = append(want, linksPart)
	}
	if salts {
		want = append(want, saltsPart)
	}
	want = append(want, manifestPart, sumsPart)
	var got []string
	for _, s := range found {
		got = append(got, s.name)
	}
	switch {
	case slices.Equal(got, want):
		return nil
	case !slices.Contains(got, manifestPart):
		return unverified("it has no %s: it was not finished, or is no backup", manifestPart)
	}
	return unverified("its parts are %s; want %s", strings.Join(got, ", "), strings.Join(want, ", "))
}

// zeroReader stands for salts that were left out.
type zeroReader struct{}

// ReadAt fills p with zeros.
func (zeroReader) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// forward reads a stream as a file whose reader only goes forward, so that the
// opened salts of a large log need not lie in memory or on a disk.
type forward struct {
	r  io.Reader
	at int64
}

// ReadAt reads what lies ahead.
func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	if off < f.at {
		return 0, fmt.Errorf("read at %d after %d of a stream", off, f.at)
	}
	skipped, err := io.CopyN(io.Discard, f.r, off-f.at)
	f.at += skipped
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(f.r, p)
	f.at += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) { // io.ReaderAt has one end
		err = io.EOF
	}
	return n, err
}

// ended wants the end of the stream, which is what shows that it is whole.
func (f *forward) ended() error {
	n, err := io.Copy(io.Discard, f.r)
	if err == nil && n > 0 {
		err = unverified("%s: %d bytes too many", saltsPart, n)
	}
	return err
}
