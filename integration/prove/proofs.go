package main

// A proof is a promise and the tests that hold it.
type proof struct {
	name  string
	claim string
	args  []string // of go test
}

// proofs lists the six proofs in the order in which they run.
var proofs = []proof{
	{
		name: "power cuts", claim: "no receipt without its entry, and none twice, though file systems lose what was not fsynced",
		args: []string{"-run", "TestPowerCuts", "./integration"},
	},
	{
		name: "damage", claim: "no flipped bit or lost end of a file is served, signed or replicated, and all are repaired",
		args: []string{"-run", "TestDamaged(Files|RaftFiles)Are", "./consensus"},
	},
	{
		name: "chaos", claim: "real processes go on with every fault in force, end with one root, and keep every promise",
		args: []string{"-run", "TestNetworkKeepsItsPromisesInChaos", "./integration"},
	},
	{
		name: "simulation", claim: "a hundred simulated hours of faults break no promise",
		args: []string{"-run", "TestNetworkKeepsItsPromisesUnderFaults", "./consensus"},
	},
	{
		name: "crash steps", claim: "a crash at any named step loses nothing and doubles nothing",
		args: []string{"-run", "TestNothingIsLostAtAnyStep", "./integration/faults"},
	},
	{
		name: "planted bugs", claim: "every mistake made on purpose is noticed",
		args: []string{"-run", "TestEveryPlanted(BugIsCaught|LeakIsFound)", "./integration/faults"},
	},
	{
		name: "planted bugs in processes", claim: "chaos and power cuts notice them too",
		args: []string{"-tags", "faults", "-run", "TestPlanted", "./integration"},
	},
}
