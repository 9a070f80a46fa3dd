package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrExport reports an export that is not what its reader signed, or not of the log
// that the policy vouches for.
var ErrExport = errors.New("the export does not verify")

// Verified is an export of which all holds.
type Verified struct {
	Manifest
	Checkpoint tlog.SignedCheckpoint // that covers tree size and act
	Cosigned   []tlog.Cosignature
}

func failed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrExport}, args...)...)
}

// Verify checks a folder with an export. The errors are [ErrExport], with what does
// not hold, and those of reading the folder.
func Verify(dir fs.FS, policy *tlog.Policy) (*Verified, error) {
	raw, err := read(dir, ManifestName, maxManifestBytes)
	if err != nil {
		return nil, err
	}
	m, err := Parse(raw)
	if err != nil {
		return nil, failed("%w", err)
	}
	key, err := m.signedBy(dir, raw)
	if err != nil {
		return nil, err
	}
	if err := m.complete(dir); err != nil {
		return nil, err
	}
	out := &Verified{Manifest: *m}
	if err := out.evidence(dir, key, policy); err != nil {
		return nil, err
	}
	return out, nil
}

// signedBy returns the key that the signature names and fits.
func (m *Manifest) signedBy(dir fs.FS, raw []byte) (*sign.PublicKey, error) {
	file, err := read(dir, SignatureName, maxEvidenceBytes)
	if err != nil {
		return nil, err
	}
	var s signature
	if err := strictly(file, &s); err != nil {
		return nil, failed("%s: %w", SignatureName, err)
	}
	key, err := sign.ParsePublicKey(sign.PurposeEnvelope, s.KeyEd25519, s.KeyMLDSA65)
	if err != nil {
		return nil, failed("%s: %w", SignatureName, err)
	}
	if len(s.Ed25519) != sign.Ed25519SignatureSize {
		return nil, failed("%s: a signature of %d bytes", SignatureName, len(s.Ed25519))
	}
	sig := sign.Signature{Ed25519: [sign.Ed25519SignatureSize]byte(s.Ed25519), MLDSA: s.MLDSA65}
	if err := key.Verify(sign.LabelExport, raw, sig); err != nil {
		return nil, failed("%s: %w", ManifestName, err)
	}
	return key, nil
}

// complete checks that the folder has all files that the manifest names, whole, and
// no others.
func (m *Manifest) complete(dir fs.FS) error {
	list, err := fs.ReadDir(dir, ".")
	if err != nil {
		return err
	}
	for _, f := range list {
		named := f.Name() == ManifestName || f.Name() == SignatureName ||
			slices.ContainsFunc(m.Files, func(of File) bool { return of.Name == f.Name() })
		if !named || !f.Type().IsRegular() {
			return failed("%q is not of the export", f.Name())
		}
	}
	for _, f := range m.Files {
		file, err := dir.Open(f.Name)
		if err != nil {
			return failed("%s: %w", f.Name, err)
		}
		h := sha256.New()
		n, err := io.Copy(h, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if uint64(n) != f.Bytes || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			return failed("%s is not as it was written", f.Name)
		}
	}
	return nil
}

// evidence checks that the reader whose key signed has said on the log that it
// reads, and that tree size and root are the log's.
func (v *Verified) evidence(dir fs.FS, key *sign.PublicKey, policy *tlog.Policy) error {
	for _, name := range []string{ActName, ReceiptName} {
		if !slices.ContainsFunc(v.Files, func(f File) bool { return f.Name == name }) {
			return failed("the manifest has no %s", name)
		}
	}
	raw, err := read(dir, ActName, maxEvidenceBytes)
	if err != nil {
		return err
	}
	env, err := envelope.Decode(raw)
	if err != nil {
		return failed("%s: %w", ActName, err)
	}
	commitments := env.Commitments()
	if env.Kind != envelope.KindAct || len(commitments) != 1 || env.CheckBodies(commitments) != nil {
		return failed("%s is no act", ActName)
	}
	if env.KeyID != key.ID() || env.VerifySignature(key) != nil {
		return failed("%s: the key that signed the export did not sign it", ActName)
	}
	if env.Hospital != v.Reader || hex.EncodeToString(env.Network[:]) != v.NetworkID {
		return failed("%s is of institution %d of network %x", ActName, env.Hospital, env.Network[:4])
	}
	a, err := act.Decode(env.Bodies[0].Ciphertext)
	if err != nil || a.Type != act.TypeRead {
		return failed("%s does not say that somebody reads", ActName)
	}
	if said, err := act.DecodeRead(a.Payload); err != nil || said.Purpose.String() != v.Purpose {
		return failed("%s does not say the purpose %s", ActName, v.Purpose)
	}
	return v.onLog(dir, env, commitments[0], policy)
}

func (v *Verified) onLog(dir fs.FS, env *envelope.Envelope, commitment [32]byte, policy *tlog.Policy) error {
	receipt, err := read(dir, ReceiptName, maxEvidenceBytes)
	if err != nil {
		return err
	}
	proof, err := tlog.ParseProof(receipt)
	if err != nil {
		return failed("%s: %w", ReceiptName, err)
	}
	proof, v.Cosigned, err = tlog.VerifyReceipt(proof.Extra, receipt, policy)
	if err != nil {
		return failed("%s: %w", ReceiptName, err)
	}
	leaf, err := envelope.ParseLeaf(proof.Extra)
	if err != nil || leaf.Envelope != env.ID() || leaf.Commitment != commitment || proof.Index != v.Act {
		return failed("%s is not of %s", ReceiptName, ActName)
	}
	v.Checkpoint = proof.Checkpoint
	if !strings.HasPrefix(v.Checkpoint.Origin, v.Network+"/") {
		return failed("the checkpoint is of %s, and the export of %s", v.Checkpoint.Origin, v.Network)
	}
	root, err := hashOf(v.Root)
	if err != nil {
		return err
	}
	steps := make([]tlog.Hash, len(v.Steps))
	for i, s := range v.Steps {
		if steps[i], err = hashOf(s); err != nil {
			return err
		}
	}
	if err := tlog.VerifyConsistency(v.Size, v.Checkpoint.Size, steps, root, v.Checkpoint.Root); err != nil {
		return failed("tree size and root: %w", err)
	}
	return nil
}

func hashOf(text string) (h tlog.Hash, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(h) {
		return h, failed("%q is no hash", text)
	}
	return tlog.Hash(raw), nil
}

// read reads a file of at most so many bytes.
func read(dir fs.FS, name string, most int64) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, most+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if n > most {
		return nil, failed("%s is larger than %d bytes", name, most)
	}
	return b.Bytes(), nil
}
