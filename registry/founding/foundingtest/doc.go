// Package foundingtest founds small networks for tests, with every secret key
// at hand.
//
//	net := foundingtest.New(t, 3)
//	s, first, err := state.Found(net.Genesis)
//	key := net.Hospitals[0].Envelope
//
// A network has hospitals with a voter and a share each, and one national
// reader with a mirror. It goes through the same draft, approvals and finish as
// a real one, so that a test which passes on it would pass on any. Keys are
// fresh for each network; nothing here is for use outside of tests.
package foundingtest
