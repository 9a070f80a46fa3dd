//go:build !race

package keyfile

// workFactor says what a passphrase costs to try: 2^18 rounds of scrypt, about a
// second and 256 MiB of memory.
const workFactor = 18
