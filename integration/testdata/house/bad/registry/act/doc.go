// Package act is planted: it does what the pure rungs may not. This comment is
// long enough to count as an introduction, so that the rule about package
// comments has nothing to say here and the rule about purity has all of it.
package act
