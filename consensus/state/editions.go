package state

import (
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

// maxEditions bounds how often the disease lists can change, and openEditions how
// many proposals to change them are open: each holds a table.
const (
	maxEditions  = 256
	openEditions = 2
)

// Edition is an edition of the disease lists that an act has added.
type Edition struct {
	act.Catalogue
	Envelope uint64 // number of the envelope that holds its table
}

// Catalogues returns all editions of the disease lists, that of the genesis
// first. The last is the one to count by.
func (s *State) Catalogues() []act.Catalogue {
	list := []act.Catalogue{s.Catalogue}
	for _, e := range s.Editions {
		list = append(list, e.Catalogue)
	}
	return list
}

// admissibleEdition checks an edition, its approvals aside: one never changes, so
// its name and its table are new.
func (s *State) admissibleEdition(a *act.Act) *Refusal {
	d, err := act.DecodeEdition(a.Payload)
	if err == nil {
		_, err = d.Open()
	}
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if len(s.Editions) >= maxEditions {
		return refuse(CodeActPayload, "the disease lists have changed too often")
	}
	for _, known := range s.Catalogues() {
		if known.Edition == d.Edition || known.Hash == d.Hash {
			return refuse(CodeActPayload, "edition %q is in force already", known.Edition)
		}
	}
	return nil
}

// admitEdition checks an edition with its approvals.
func (s *State) admitEdition(a *act.Act, logTime uint64) *Refusal {
	if r := s.approved(a, logTime); r != nil {
		return r
	}
	return s.admissibleEdition(a)
}

func (s *State) acceptEdition(a *act.Act) {
	if d, err := act.DecodeEdition(a.Payload); err == nil { // else not admitted
		s.Editions = append(slices.Clip(s.Editions), Edition{Catalogue: d.Catalogue, Envelope: s.Envelopes})
	}
}

// roomForEdition refuses a proposal of an edition while others wait.
func (s *State) roomForEdition(a *act.Act, logTime uint64) *Refusal {
	open := 0
	for i := range s.Proposals {
		if p := &s.Proposals[i]; p.Act.Type == act.TypeEdition && s.endOf(p, logTime) == 0 {
			open++
		}
	}
	if a.Type == act.TypeEdition && open >= openEditions {
		return refuse(CodeActPayload, "%d editions are proposed already: approve one of them, or wait until it has ended", open)
	}
	return nil
}

func (s *State) appendEditions(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.Editions))
	for _, e := range s.Editions {
		b = cbor.AppendArray(b, 2)
		b = e.Catalogue.AppendCBOR(b)
		b = cbor.AppendUint(b, e.Envelope)
	}
	return b
}

func (s *State) decodeEditions(d *cbor.Decoder) {
	s.Editions = readList(d, maxEditions, func(d *cbor.Decoder) Edition {
		d.Array(2)
		return Edition{Catalogue: act.DecodeCatalogue(d), Envelope: d.Uint()}
	})
}
