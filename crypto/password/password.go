package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	saltBytes    = 16
	minSaltBytes = 8
	hashBytes    = 32
)

// Bounds of the parameters that Verify works with: a file that was tampered with
// does not take the machine's memory.
const (
	maxMemoryKiB = 1 << 20
	maxTime      = 16
	maxThreads   = 16
)

// Params say how much work a hash is.
type Params struct {
	Time      uint32 // passes
	MemoryKiB uint32
	Threads   uint8
}

// Default returns the parameters of new hashes: 64 MiB, two passes, about a tenth
// of a second on one core.
func Default() Params { return Params{Time: 2, MemoryKiB: 64 << 10, Threads: 1} }

// ErrHash reports a stored hash that cannot be read.
var ErrHash = errors.New("the stored password hash cannot be read")

// Hash returns what is to be stored of a password.
func Hash(password string, p Params) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	hash := argon2.IDKey([]byte(password), salt, p.Time, p.MemoryKiB, p.Threads, hashBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.MemoryKiB, p.Time, p.Threads, b64.EncodeToString(salt), b64.EncodeToString(hash)), nil
}

// Verify reports whether a password is that of a stored hash. The error is ErrHash
// and shows nothing of it.
func Verify(stored, password string) (bool, error) {
	parts := strings.Split(stored, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false, ErrHash
	}
	var p Params
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Time, &p.Threads); n != 3 || err != nil {
		return false, ErrHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || err2 != nil || len(salt) < minSaltBytes || len(want) != hashBytes ||
		p.Time < 1 || p.Time > maxTime || p.Threads < 1 || p.Threads > maxThreads || p.MemoryKiB < 8 || p.MemoryKiB > maxMemoryKiB {
		return false, ErrHash
	}
	got := argon2.IDKey([]byte(password), salt, p.Time, p.MemoryKiB, p.Threads, hashBytes)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
