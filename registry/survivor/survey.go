package survivor

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
)

const (
	blockSurvey    = "RARESYNC SURVEY"
	maxSurveyBytes = 256 << 10
	maxNoteBytes   = 64 << 10
	mldsa65Bytes   = 3309
	surveyVersion  = 1
	surveyFields   = 15
	maxNodeIDBytes = 32
	maxMillis      = 1 << 53
)

// Survey is what a stopped node says of its copy, signed by its institution.
type Survey struct {
	Network     [32]byte
	Node        string
	Institution uint32
	Kind        act.NodeKind // the part it took when it stopped
	At          uint64       // this node's clock, ms
	Epoch       uint64       // log epoch of the copy
	Envelopes   uint64
	Size        uint64 // tree size
	Root        tlog.Hash
	LogTime     uint64          // of its last envelope, ms
	Index       uint64          // of the last record of its Raft log; 0 without one
	Term        uint64          // of that record
	Checkpoint  []byte          // the newest valid one that it kept, a signed note; empty if none
	NextLog     *sign.PublicKey // its log key of the next epoch

	KeyID     sign.KeyID // of the envelope key that signed
	Signature sign.Signature
}

// message returns what the signature is over: an array of 15.
func (s *Survey) message() []byte {
	b := cbor.AppendArray(nil, surveyFields)
	b = cbor.AppendUint(b, surveyVersion)
	b = cbor.AppendBytes(b, s.Network[:])
	b = cbor.AppendText(b, s.Node)
	b = cbor.AppendUint(b, uint64(s.Institution))
	b = cbor.AppendUint(b, uint64(s.Kind))
	b = cbor.AppendUint(b, s.At)
	b = cbor.AppendUint(b, s.Epoch)
	b = cbor.AppendUint(b, s.Envelopes)
	b = cbor.AppendUint(b, s.Size)
	b = cbor.AppendBytes(b, s.Root[:])
	b = cbor.AppendUint(b, s.LogTime)
	b = cbor.AppendUint(b, s.Index)
	b = cbor.AppendUint(b, s.Term)
	b = cbor.AppendBytes(b, s.Checkpoint)
	return s.NextLog.AppendCBOR(b)
}

// Sign signs the survey with its institution's envelope key.
func (s *Survey) Sign(key *sign.PrivateKey) error {
	sig, err := key.Sign(sign.LabelSurvey, s.message())
	if err != nil {
		return fmt.Errorf("sign survey: %w", err)
	}
	s.KeyID, s.Signature = key.Public().ID(), sig
	return nil
}

// Verify checks the signature with the envelope key of the institution.
func (s *Survey) Verify(key *sign.PublicKey) error {
	if key.ID() != s.KeyID {
		return fmt.Errorf("survey of %s: signed with another key than that of institution %d", s.Node, s.Institution)
	}
	if err := key.Verify(sign.LabelSurvey, s.message(), s.Signature); err != nil {
		return fmt.Errorf("survey of %s: %w", s.Node, err)
	}
	return nil
}

// Marshal returns the survey as an armoured text file.
func (s *Survey) Marshal() []byte { return armour.Wrap(blockSurvey, s.raw()) }

// raw returns the survey with its signature: an array of 4.
func (s *Survey) raw() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendBytes(b, s.message())
	b = cbor.AppendBytes(b, s.KeyID[:])
	b = cbor.AppendBytes(b, s.Signature.Ed25519[:])
	return cbor.AppendBytes(b, s.Signature.MLDSA)
}

// ParseSurvey reads an armoured survey. Its signature is not looked at.
func ParseSurvey(file []byte) (*Survey, error) {
	raw, err := armour.Unwrap(blockSurvey, file, maxSurveyBytes)
	if err != nil {
		return nil, fmt.Errorf("survey: %w", err)
	}
	return decodeSurvey(raw)
}

func decodeSurvey(raw []byte) (*Survey, error) {
	s := &Survey{}
	d := cbor.NewDecoder(raw)
	d.Array(4)
	message := d.Bytes(maxSurveyBytes)
	d.BytesInto(s.KeyID[:])
	d.BytesInto(s.Signature.Ed25519[:])
	s.Signature.MLDSA = d.BytesFixed(mldsa65Bytes)
	err := d.Done()
	if err == nil {
		err = s.decode(message)
	}
	if err != nil {
		return nil, fmt.Errorf("survey: %w", err)
	}
	return s, nil
}

func (s *Survey) decode(message []byte) error {
	d := cbor.NewDecoder(message)
	d.Array(surveyFields)
	if v := d.Uint(); d.Err() == nil && v != surveyVersion {
		d.Fail("version %d, this build reads %d", v, surveyVersion)
	}
	d.BytesInto(s.Network[:])
	s.Node = d.Text(maxNodeIDBytes)
	s.Institution = d.Uint32()
	s.Kind = act.NodeKind(d.Uint8())
	s.At = d.UintMax(maxMillis)
	s.Epoch = d.Uint()
	s.Envelopes = d.Uint()
	s.Size = d.Uint()
	d.BytesInto(s.Root[:])
	s.LogTime = d.UintMax(maxMillis)
	s.Index = d.UintMax(1 << 61)
	s.Term = d.UintMax(1 << 61)
	s.Checkpoint = d.Bytes(maxNoteBytes)
	s.NextLog = sign.DecodePublicKey(d)
	if err := d.Done(); err != nil {
		return err
	}
	if s.NextLog.Purpose() != sign.PurposeLog {
		return errors.New("its next log key is a key for " + s.NextLog.Purpose().String())
	}
	return nil
}
