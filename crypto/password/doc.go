// Package password turns the passwords of a node's accounts into what may lie on
// its disk, and compares.
//
//	stored, err := password.Hash("correct horse battery", password.Default())
//	ok, err := password.Verify(stored, typed)
//
// The hash is Argon2id in the PHC form, $argon2id$v=19$m=65536,t=2,p=1$SALT$HASH,
// with a salt of its own, so that parameters can be raised and older hashes still
// compare. Verify takes the same time for a right and a wrong password; for an
// account that does not exist the caller compares with a hash of nothing.
package password
