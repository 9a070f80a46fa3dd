//go:build !faults

package integration

// buildArgs build the program as it is.
var buildArgs = []string{"build"}
