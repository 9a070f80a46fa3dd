// Package daemon is the service a hospital runs: one node of the network with
// its sessions, its peer API, its outbox and its admin socket.
//
//	err := daemon.Run(ctx, cfg, logger, version)
//
// Run opens the data directory, joins the network and serves until the context
// ends; then it hands over leadership, drains and closes. The parts:
//
//	config      what an operator may set
//	home        keys, lock and genesis in the data directory
//	mesh        sessions between nodes
//	notify      what the service manager hears
//	peer        what nodes ask of each other
//	evaluation  pseudonyms, with the share holders' help
//	intake      files into entries
//	delivery    tables, row by row, to intake, and what to say of them
//	inbox       the folder that files are dropped into
//	page        the hospital's web page, on which clerks hand in files
//	outbox      entries into the log, each exactly once
//	withdraw    what patients decide about their entries
//	trail       what was done here with patients' data
//	reader      entries out of the log, for those who may open them
//	doctor      what is wrong with a node, seen from outside
//	admin       what commands on this machine ask of the daemon
//
// # Promises
//
//  1. Nothing that identifies a person is in a log line or on a socket that
//     leaves the machine.
//  2. A second daemon on the same data directory refuses to start.
//  3. A failed disk or a copy that contradicts the network's ends Run with an
//     error that says so; nothing goes on from a guess.
package daemon
