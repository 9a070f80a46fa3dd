package main

// A proof is a promise and the tests that hold it.
type proof struct {
	name  string
	claim string
	args  []string // of go test
	env   []string
}

// proofs lists the six proofs in the order in which they run.
var proofs = []proof{
	{
		name: "power cuts", claim: "no receipt without its entry, and none twice, though file systems lose what was not fsynced",
		args: []string{"-run", "PowerCut", "./integration"},
	},
	{
		name: "damage", claim: "no flipped bit or lost end of a file is served, signed or replicated, and all are repaired",
		args: []string{"-run", "BitFlip|Damage", "./consensus/..."},
	},
	{
		name: "chaos", claim: "real processes go on with every fault in force, end with one root, and keep every promise",
		args: []string{"-run", "InChaos", "./integration"},
	},
	{
		name: "simulation", claim: "a hundred simulated hours of faults break no promise",
		args: []string{"-run", "TestNetworkKeepsItsPromisesUnderFaults", "./consensus"},
		env:  []string{"SOAK=25m"},
	},
	{
		name: "crash steps", claim: "a crash at any named step does no harm",
		args: []string{"-tags", "faults", "-run", "Crash", "./consensus/...", "./daemon/..."},
	},
	{
		name: "planted bugs", claim: "every mistake made on purpose is noticed",
		args: []string{"-tags", "faults", "-run", "Planted", "./consensus/...", "./daemon/...", "./integration"},
	},
}
