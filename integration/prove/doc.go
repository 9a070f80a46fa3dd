// Command prove runs the proofs that nothing acknowledged is ever lost, at
// their full counts, and prints what each of them found:
//
//	make prove                          # all of them, about an hour on two cores
//	go run ./integration/prove chaos    # those whose name holds a word
//
// Each proof is a test that `make test` runs a share of; PROVE=1 makes it whole.
// The lines that a test logs with "proof: " in front are its figures. A proof
// fails if one of its tests fails or skips, if no test ran, and if it printed no
// figure: what showed nothing has proven nothing.
package main
