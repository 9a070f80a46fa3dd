//go:build level1

package act

// SupportedLevel is that of a build from before level 2.
const SupportedLevel = 1
