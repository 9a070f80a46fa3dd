package quota

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// Shown is every request of a hospital that a holder counted in a week, as the
// holder shows them.
type Shown struct {
	Week     uint32
	Hospital uint32
	Proofs   []Proof // ascending by index
}

// Check compares what a holder shows with the usage it posted. It returns the
// elements that the hospital did ask for: in requests that the usage's root
// covers, each once, of that week and under a request key of the hospital, which
// may have had several in a week. The error names the first proof that does not hold, or says that the posted bucket
// does not come from them.
func (s *Shown) Check(posted *act.Usage, keys ...*sign.PublicKey) (elements uint64, err error) {
	if posted.Week != s.Week {
		return 0, fmt.Errorf("requests of week %d beside the usage of week %d", s.Week, posted.Week)
	}
	seen := map[[32]byte]bool{}
	for i, p := range s.Proofs {
		req, err := s.checkProof(p, posted, keys)
		if err != nil {
			return elements, fmt.Errorf("request %d: %w", i+1, err)
		}
		if seen[req.Hash()] {
			return elements, fmt.Errorf("request %d: it is shown twice", i+1)
		}
		seen[req.Hash()] = true
		elements += uint64(req.N)
	}
	if bucket := posted.Of(s.Hospital); act.UsageBucket(elements) != bucket {
		return elements, fmt.Errorf("%d elements are shown, at least %d were posted", elements, act.UsageAtLeast(bucket))
	}
	return elements, nil
}

func (s *Shown) checkProof(p Proof, posted *act.Usage, keys []*sign.PublicKey) (pseudonym.Request, error) {
	if p.Size != posted.Requests {
		return pseudonym.Request{}, fmt.Errorf("it is one of %d, the usage has %d", p.Size, posted.Requests)
	}
	if err := tlog.VerifyInclusion(tlog.LeafHash(p.Leaf), p.Index, p.Size, p.Hashes, posted.Root); err != nil {
		return pseudonym.Request{}, err
	}
	message, sig, err := decodeLeaf(p.Leaf)
	if err != nil {
		return pseudonym.Request{}, err
	}
	signed := func(key *sign.PublicKey) bool { return key.Verify(sign.LabelRequest, message, sig) == nil }
	if !slices.ContainsFunc(keys, signed) {
		return pseudonym.Request{}, errors.New("no request key of the hospital signed it")
	}
	req, err := pseudonym.DecodeRequest(message)
	if err != nil {
		return req, err
	}
	// The day that a request names may be the last before the week: the holder's
	// day was one later.
	first := uint64(s.Week) * act.DaysInWeek
	if day := uint64(req.QuotaDay) + 1; req.Hospital != s.Hospital || day < first || day > first+act.DaysInWeek {
		return req, fmt.Errorf("it is of hospital %d and day %d", req.Hospital, req.QuotaDay)
	}
	return req, nil
}

// decodeLeaf reads what [act.UsageLeaf] wrote.
func decodeLeaf(leaf []byte) (message []byte, sig sign.Signature, err error) {
	d := cbor.NewDecoder(leaf)
	d.Array(3)
	message = d.Bytes(maxRecordBytes)
	d.BytesInto(sig.Ed25519[:])
	sig.MLDSA = d.BytesFixed(sign.MLDSA65SignatureSize)
	return message, sig, d.Done()
}
