// Package demo founds a network of throw-away hospitals on this machine and
// lets a newcomer watch it work: cases come in, the leader is killed, the
// network converges, and everything is verified from outside.
//
//	result, err := demo.Run(ctx, demo.Options{Binary: exe, Hospitals: 5, Voters: 5, ...}, screen)
//
// Every hospital and the coordinator is a process of the same binary with a
// data directory, keys and TLS of its own, on loopback ports that the system
// gives. [Network] is that part alone; the integration tests build on it.
//
// Everything is made up but the cases given with --input: keys, names, and
// identity numbers, which use the never-assigned area 100000.
package demo
