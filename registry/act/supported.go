//go:build !level1

package act

// SupportedLevel is the highest feature level that this build knows. With the
// build tag level1 it is 1, for tests of networks in which builds are mixed.
const SupportedLevel = 3
