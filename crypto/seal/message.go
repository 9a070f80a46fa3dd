package seal

import (
	"crypto/hpke"
	"fmt"
)

// SealMessage seals a short message to r with HPKE base mode (RFC 9180), bound
// to the label. It serves what travels between people outside of the log, such
// as a dealt share.
func (r ReaderPublic) SealMessage(label string, message []byte) ([]byte, error) {
	sealed, err := hpke.Seal(r.key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(label+"\x00"), message)
	if err != nil {
		return nil, fmt.Errorf("seal message to %s: %w", r.id, err)
	}
	return sealed, nil
}

// OpenMessage opens what [ReaderPublic.SealMessage] sealed under the same
// label. It fails with ErrWrap if the message is for another key or label, or
// was damaged.
func (r *ReaderPrivate) OpenMessage(label string, sealed []byte) ([]byte, error) {
	message, err := hpke.Open(r.secret().key, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(label+"\x00"), sealed)
	if err != nil {
		return nil, fmt.Errorf("open message with %s: %w", r.public.id, ErrWrap)
	}
	return message, nil
}
