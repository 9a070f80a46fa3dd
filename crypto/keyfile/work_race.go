//go:build race

package keyfile

// workFactor of programs that look for data races, which are built for tests
// alone: scrypt is twenty times as slow in them.
const workFactor = 12
