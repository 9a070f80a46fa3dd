//go:build !linux

package ceremony

// isVolatile cannot tell here, so nothing is kept.
func isVolatile(string) bool { return false }
