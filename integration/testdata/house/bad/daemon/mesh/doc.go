// Package mesh is planted: half of its exported names have no comment. This
// comment is long enough to count as an introduction, so that the rule about
// package comments has nothing to say here and the others have all of it.
package mesh
