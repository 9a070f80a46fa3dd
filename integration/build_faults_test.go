//go:build faults

package integration

// buildArgs build the program that makes mistakes on purpose.
var buildArgs = []string{"build", "-tags", "faults"}
