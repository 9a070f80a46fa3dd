package pseudonym

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"

	"github.com/raresync/raresync/crypto/cbor"
)

// KDFArgon2id is the one key derivation function in use: Argon2id version
// 0x13 (RFC 9106) with 32 bytes of output.
const KDFArgon2id uint8 = 1

// Ceilings of Params: what a node is ready to spend on one identity number.
const (
	maxTime        = 16
	maxMemoryKiB   = 1 << 20
	maxParallelism = 16
)

const (
	inputLabel   = "raresync/oprf/v1\x00"
	paramsFields = 5
)

// ErrParams reports stretching parameters that no network may use. Its code
// is PS001.
var ErrParams = errors.New("PS001: stretching parameters are not valid")

// Params says how an identity number is stretched before it is blinded. The
// genesis fixes them: other parameters are other pseudonyms.
type Params struct {
	// KDF is KDFArgon2id.
	KDF uint8
	// Salt separates networks; it is public.
	Salt [16]byte
	// Time is the number of passes, 1 to 16. Networks use 1.
	Time uint32
	// MemoryKiB is the memory of one stretching in KiB, from 8 per lane to
	// 1 GiB. Networks use 19456; demo networks and tests may use less.
	MemoryKiB uint32
	// Parallelism is the number of lanes, 1 to 16. Networks use 1.
	Parallelism uint8
}

// Validate returns ErrParams with the reason if a value is out of its range.
func (p Params) Validate() error {
	switch {
	case p.KDF != KDFArgon2id:
		return fmt.Errorf("%w: KDF %d, want %d", ErrParams, p.KDF, KDFArgon2id)
	case p.Time < 1 || p.Time > maxTime:
		return fmt.Errorf("%w: %d passes, want 1 to %d", ErrParams, p.Time, maxTime)
	case p.Parallelism < 1 || p.Parallelism > maxParallelism:
		return fmt.Errorf("%w: %d lanes, want 1 to %d", ErrParams, p.Parallelism, maxParallelism)
	case p.MemoryKiB < 8*uint32(p.Parallelism) || p.MemoryKiB > maxMemoryKiB:
		return fmt.Errorf("%w: %d KiB, want %d to %d", ErrParams,
			p.MemoryKiB, 8*uint32(p.Parallelism), maxMemoryKiB)
	}
	return nil
}

// Stretch returns h, the Argon2id of the normalised identity x. It takes
// MemoryKiB of memory for as long as it runs, about 15 ms at 19456 KiB.
// The parameters must be valid.
func (p Params) Stretch(x []byte) [32]byte {
	return [32]byte(argon2.IDKey(x, p.Salt[:], p.Time, p.MemoryKiB, p.Parallelism, 32))
}

// Input returns the input of the OPRF for a stretched identity, 50 bytes.
func (p Params) Input(h [32]byte) []byte {
	b := make([]byte, 0, len(inputLabel)+1+len(h))
	b = append(b, inputLabel...)
	b = append(b, p.KDF)
	return append(b, h[:]...)
}

// AppendCBOR appends the parameters as the array [kdf, salt, time, memory in
// KiB, parallelism].
func (p Params) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, paramsFields)
	b = cbor.AppendUint(b, uint64(p.KDF))
	b = cbor.AppendBytes(b, p.Salt[:])
	b = cbor.AppendUint(b, uint64(p.Time))
	b = cbor.AppendUint(b, uint64(p.MemoryKiB))
	return cbor.AppendUint(b, uint64(p.Parallelism))
}

// DecodeParams reads valid parameters that AppendCBOR wrote. Anything else is
// refused with cbor.ErrEncoding.
func DecodeParams(b []byte) (Params, error) {
	d := cbor.NewDecoder(b)
	p := ReadParams(d)
	if err := d.Done(); err != nil {
		return Params{}, fmt.Errorf("decode stretching parameters: %w", err)
	}
	return p, nil
}

// ReadParams is DecodeParams for parameters inside a longer encoding: it
// reads them from d and makes d fail if they are not valid.
func ReadParams(d *cbor.Decoder) Params {
	d.Array(paramsFields)
	var p Params
	p.KDF = d.Uint8()
	d.BytesInto(p.Salt[:])
	p.Time, p.MemoryKiB, p.Parallelism = d.Uint32(), d.Uint32(), d.Uint8()
	if d.Err() != nil {
		return Params{}
	}
	if err := p.Validate(); err != nil {
		d.Fail("%v", err)
		return Params{}
	}
	return p
}
