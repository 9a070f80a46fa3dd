package state

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Format is the version of the snapshot encoding. Four before are read as well:
// the first knows no erasures, the second no change of the voters, the third not
// what nodes support, and none a second log epoch. What they lack follows from what
// they have. A log in its first epoch is written in the format before.
const (
	Format         = 8
	formatFeatures = 7
	formatVoters   = 6
	formatErasing  = 5
	formatFirst    = 4

	fields = 33 // one fewer in each format before
)

const (
	maxFields     = 64 // of formats to come, so that a newer one is named as such
	maxMembers    = 100_000
	maxSpans      = 1_000
	maxReaderSets = 20_000
	maxNational   = 16
)

// AppendCBOR appends the state's deterministic encoding to b: equal states
// give equal bytes. docs/PROTOCOL.md "Snapshot" lists the fields.
func (s *State) AppendCBOR(b []byte) []byte {
	format := uint64(formatFeatures)
	if len(s.Epochs) > 0 {
		format = Format
	}
	b = cbor.AppendArray(b, fields-int(Format-format))
	b = cbor.AppendUint(b, format)
	b = cbor.AppendBytes(b, s.Network[:])
	b = cbor.AppendText(b, s.Name)
	b = cbor.AppendBool(b, s.Demo)
	b = cbor.AppendUint(b, s.LogEpoch)
	b = cbor.AppendUint(b, s.Quorum)
	b = cbor.AppendUint(b, s.Envelopes)
	b = cbor.AppendUint(b, s.Tree.Size())
	root := s.Tree.Root()
	b = cbor.AppendBytes(b, root[:])
	hashes := s.Tree.Hashes()
	b = cbor.AppendArray(b, len(hashes))
	for i := range hashes {
		b = cbor.AppendBytes(b, hashes[i][:])
	}
	b = cbor.AppendUint(b, s.LogTime)
	b = cbor.AppendUint(b, s.FeatureLevel)
	b = cbor.AppendUint(b, s.RosterVersion)
	b = s.appendMembers(b)
	b = cbor.AppendArray(b, len(s.Nodes))
	for i := range s.Nodes {
		b = s.Nodes[i].AppendCBOR(b)
	}
	b = s.appendReaderSets(b)
	b = s.Identity.AppendCBOR(b)
	b = s.Policy.AppendCBOR(b)
	b = s.Catalogue.AppendCBOR(b)
	b = act.AppendKeyRecord(b, s.OPRF)
	b = cbor.AppendArray(b, len(s.Holders))
	for _, n := range s.Holders {
		b = cbor.AppendUint(b, uint64(n))
	}
	b = s.appendSaltsBackups(b)
	b = s.Ceremony.appendCBOR(b)
	b = cbor.AppendBytes(b, s.Canary.Marshal())
	b = s.appendProposals(b)
	b = s.appendQuotas(b)
	b = s.appendRevocations(b)
	b = s.appendGrants(b)
	b = s.appendErasures(b)
	b = s.appendMembership(b)
	b = s.appendFeatures(b)
	if format < Format {
		return b
	}
	return s.appendEpochs(b)
}

func (s *State) appendMembers(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.Members))
	for i := range s.Members {
		m := &s.Members[i]
		b = cbor.AppendArray(b, 8)
		b = m.Institution.AppendCBOR(b)
		b = cbor.AppendArray(b, len(m.Signing))
		for _, span := range m.Signing {
			b = cbor.AppendArray(b, 3)
			b = span.Key.AppendCBOR(b)
			b = cbor.AppendUint(b, span.From)
			b = cbor.AppendUint(b, span.To)
		}
		b = cbor.AppendArray(b, len(m.Sealing))
		for _, span := range m.Sealing {
			b = cbor.AppendArray(b, 3)
			b = cbor.AppendBytes(b, span.Key.Bytes())
			b = cbor.AppendUint(b, span.From)
			b = cbor.AppendUint(b, span.To)
		}
		b = cbor.AppendUint(b, m.Chain.Sequence)
		b = cbor.AppendUint(b, uint64(m.Chain.Attempt))
		b = cbor.AppendBytes(b, m.Chain.ID[:])
		b = cbor.AppendUint(b, m.Chain.Number)
		b = cbor.AppendArray(b, len(m.Former))
		for _, id := range m.Former {
			b = cbor.AppendBytes(b, id[:])
		}
	}
	return b
}

func (s *State) appendReaderSets(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.ReaderSets))
	for i := range s.ReaderSets {
		set := &s.ReaderSets[i]
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendUint(b, set.Number)
		b = cbor.AppendArray(b, len(set.National))
		for _, r := range set.National {
			b = appendReader(b, r)
		}
		b = cbor.AppendArray(b, len(set.Provinces))
		for _, p := range set.Provinces {
			b = cbor.AppendArray(b, 2)
			b = cbor.AppendText(b, p.Province)
			b = appendReader(b, p.Reader)
		}
	}
	return b
}

func appendReader(b []byte, r envelope.Reader) []byte {
	b = cbor.AppendArray(b, 3)
	b = cbor.AppendBytes(b, r.Key.Bytes())
	b = cbor.AppendBool(b, r.Rights.Clinical)
	return cbor.AppendBool(b, r.Rights.Genetic)
}

// Decode reads a state at the decoder's place; what follows is the caller's.
func Decode(d *cbor.Decoder) (*State, error) {
	s := &State{}
	n, format := d.ArrayMax(maxFields), d.Uint()
	if d.Err() == nil && format > Format {
		return nil, fmt.Errorf("snapshot format %d, this build reads formats %d to %d: %w", format, formatFirst, Format, ErrTooOld)
	}
	if d.Err() == nil && (format < formatFirst || n != fields-int(Format-format)) {
		return nil, fmt.Errorf("snapshot format %d of %d fields, this build reads formats %d to %d", format, n, formatFirst, Format)
	}
	d.BytesInto(s.Network[:])
	s.Name = d.Text(64)
	s.Demo = d.Bool()
	s.LogEpoch = d.Uint()
	s.Quorum = d.Uint()
	s.Envelopes = d.Uint()
	s.decodeTree(d)
	s.LogTime = d.Uint()
	if s.FeatureLevel = d.Uint(); d.Err() == nil && s.FeatureLevel > act.SupportedLevel {
		return nil, fmt.Errorf("snapshot of feature level %d, and this build knows level %d: %w", s.FeatureLevel, act.SupportedLevel, ErrTooOld)
	}
	if d.Err() == nil && s.FeatureLevel == 0 {
		d.Fail("feature levels count from 1")
	}
	s.RosterVersion = d.Uint()
	s.Members = readList(d, maxMembers, readMember)
	s.Nodes = readList(d, maxMembers, act.DecodeNode)
	s.ReaderSets = readList(d, maxReaderSets, readReaderSet)
	s.Identity = pseudonym.ReadParams(d)
	s.Policy = act.DecodePolicy(d)
	s.Catalogue = act.DecodeCatalogue(d)
	if s.OPRF = act.ReadKeyRecord(d); s.OPRF.Holders != 0 {
		s.OPRF = s.OPRF.Bind(s.Network)
	}
	s.Holders = readList(d, keyshare.MaxHolders, (*cbor.Decoder).Uint32)
	s.SaltsBackups = readList(d, maxMembers, readSaltsBackup)
	s.Ceremony = readCeremony(d)
	s.Canary = readCanary(d)
	s.decodeProposals(d)
	s.decodeQuotas(d)
	s.Revocations = readList(d, maxRevocations, readRevocation)
	s.Grants = readList(d, maxGrants, readGrant)
	s.decodeNewer(d, format)
	if err := d.Err(); err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return s, nil
}

// decodeNewer reads what formats have added, or derives it.
func (s *State) decodeNewer(d *cbor.Decoder, format uint64) {
	if format >= formatErasing {
		s.decodeErasures(d)
	} else {
		s.noteEntitled()
	}
	if format >= formatVoters {
		s.decodeMembership(d)
	} else if d.Err() == nil {
		s.VoterSets = []VoterSet{s.foundingVoters()}
	}
	if format >= formatFeatures {
		s.decodeFeatures(d)
	}
	if format >= Format {
		s.decodeEpochs(d)
	}
}

func (s *State) decodeTree(d *cbor.Decoder) {
	var root tlog.Hash
	size := d.Uint()
	d.BytesInto(root[:])
	hashes := readList(d, 64, func(d *cbor.Decoder) (h tlog.Hash) {
		d.BytesInto(h[:])
		return h
	})
	if d.Err() != nil {
		return
	}
	var err error
	if s.Tree, err = tlog.NewFrontier(size, hashes); err != nil {
		d.Fail("tree: %v", err)
	} else if s.Tree.Root() != root {
		d.Fail("root is not that of the frontier")
	}
}

func readMember(d *cbor.Decoder) Member {
	var m Member
	d.Array(8)
	m.Institution = act.DecodeInstitution(d)
	m.Signing = readList(d, maxSpans, func(d *cbor.Decoder) SigningSpan {
		d.Array(3)
		return SigningSpan{Key: sign.DecodePublicKey(d), From: d.Uint(), To: d.Uint()}
	})
	m.Sealing = readList(d, maxSpans, func(d *cbor.Decoder) SealingSpan {
		d.Array(3)
		return SealingSpan{Key: readSealingKey(d), From: d.Uint(), To: d.Uint()}
	})
	m.Chain.Sequence = d.Uint()
	m.Chain.Attempt = d.Uint32()
	d.BytesInto(m.Chain.ID[:])
	m.Chain.Number = d.Uint()
	m.Former = readList(d, maxFormer, readKeyID)
	return m
}

func readReaderSet(d *cbor.Decoder) ReaderSet {
	var set ReaderSet
	d.Array(3)
	set.Number = d.Uint()
	set.National = readList(d, envelope.MaxWraps, readReader)
	set.Provinces = readList(d, 100, func(d *cbor.Decoder) ProvinceReader {
		d.Array(2)
		return ProvinceReader{Province: d.Text(2), Reader: readReader(d)}
	})
	return set
}

func readReader(d *cbor.Decoder) envelope.Reader {
	d.Array(3)
	r := envelope.Reader{Key: readSealingKey(d)}
	r.Rights.Clinical = d.Bool()
	r.Rights.Genetic = d.Bool()
	return r
}

func readSealingKey(d *cbor.Decoder) seal.ReaderPublic {
	raw := d.BytesFixed(seal.ReaderPublicBytes)
	if d.Err() != nil {
		return seal.ReaderPublic{}
	}
	k, err := seal.ParseReaderPublic(raw)
	if err != nil {
		d.Fail("sealing key: %v", err)
	}
	return k
}

// readList reads an array of at most limit items.
func readList[T any](d *cbor.Decoder, limit int, read func(*cbor.Decoder) T) []T {
	n := d.ArrayMax(limit)
	var list []T
	for range n {
		v := read(d)
		if d.Err() != nil {
			return nil
		}
		list = append(list, v)
	}
	return list
}
