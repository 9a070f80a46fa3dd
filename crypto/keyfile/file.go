package keyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// MaxFileBytes is the largest key file that is sealed or opened.
const MaxFileBytes = 1 << 20

// maxWorkFactor is the most that a file may ask for: four times workFactor's
// cost.
const maxWorkFactor = 20

// Why a key file is refused.
var (
	// ErrWrongKey reports a file sealed under another key or passphrase.
	ErrWrongKey = errors.New("key file is sealed under another key")

	// ErrDamaged reports a file that is no age file, was changed or shortened,
	// or holds something else than a bundle.
	ErrDamaged = errors.New("key file is damaged")

	// ErrFormat reports a bundle of a format that this version does not know.
	ErrFormat = errors.New("key file has an unknown format")

	// ErrTooLarge reports a file of more than MaxFileBytes.
	ErrTooLarge = errors.New("key file is too large")

	// ErrPassphrase reports an empty passphrase.
	ErrPassphrase = errors.New("passphrase is empty")
)

// Seal returns b as a key file that opens with key, and with each of more: while
// a file key is being changed, a file opens with the old and the new one.
func Seal(b *Bundle, key Key, more ...Key) ([]byte, error) {
	to := []age.Recipient{key.identity().Recipient()}
	for _, k := range more {
		to = append(to, k.identity().Recipient())
	}
	return sealTo(b, to...)
}

// Open opens a key file that was sealed under key. It fails with ErrWrongKey,
// ErrDamaged, ErrFormat or ErrTooLarge.
func Open(file []byte, key Key) (*Bundle, error) {
	return openWith(file, key.identity())
}

// SealPassphrase returns b as a key file that opens with a passphrase, for a
// copy kept offline. It takes about a second. It fails with ErrPassphrase if
// the passphrase is empty.
func SealPassphrase(b *Bundle, passphrase string) ([]byte, error) {
	return sealScrypt(b, passphrase, workFactor)
}

func sealScrypt(b *Bundle, passphrase string, logN int) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal key file: %w", ErrPassphrase)
	}
	recipient.SetWorkFactor(logN)
	return sealTo(b, recipient)
}

// OpenPassphrase opens a key file that was sealed under a passphrase. It takes
// about a second, and fails as Open does or with ErrPassphrase.
func OpenPassphrase(file []byte, passphrase string) (*Bundle, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", ErrPassphrase)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	return openWith(file, identity)
}

func sealTo(b *Bundle, recipients ...age.Recipient) ([]byte, error) {
	var file bytes.Buffer
	w, err := age.Encrypt(&file, recipients...)
	if err != nil {
		return nil, fmt.Errorf("seal key file: %w", err)
	}
	if _, err := w.Write(b.encode()); err != nil {
		return nil, fmt.Errorf("seal key file: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal key file: %w", err)
	}
	if file.Len() > MaxFileBytes {
		return nil, fmt.Errorf("seal key file: %w: %d bytes", ErrTooLarge, file.Len())
	}
	return file.Bytes(), nil
}

func openWith(file []byte, identity age.Identity) (*Bundle, error) {
	if len(file) > MaxFileBytes {
		return nil, fmt.Errorf("open key file: %w: %d bytes", ErrTooLarge, len(file))
	}
	plaintext, err := decrypt(file, identity)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	b, err := decode(plaintext)
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	return b, nil
}

// decrypt returns the whole plaintext or nothing: age authenticates a file
// piece by piece, and the end only with the last.
func decrypt(file []byte, identity age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(file), identity)
	var noMatch *age.NoIdentityMatchError
	if errors.As(err, &noMatch) {
		return nil, ErrWrongKey
	}
	if err != nil {
		return nil, fmt.Errorf("%w: it does not begin as one does", ErrDamaged) // the cause speaks to programmers
	}
	plaintext, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%w: its bytes were changed, or it was cut short", ErrDamaged)
	}
	return plaintext, nil
}
