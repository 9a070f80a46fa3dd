// Package home keeps what lies in a node's data directory beside the log: the
// keys, the card, the genesis and the lock.
//
// A node begins with [Init] and is then opened by the daemon and by commands:
//
//	release, err := home.Lock(cfg.Node.DataDir)
//	defer release()
//	keys, warnings, err := home.LoadKeys(cfg)
//	genesis, err := home.ReadGenesis(cfg)
//
// The directory as Init leaves it:
//
//	raresync.toml  the configuration, annotated
//	keys.age       every secret of the node, sealed (package crypto/keyfile)
//	file.key       what opens keys.age; better moved to the service manager
//	card.pem       the public keys, for the network's founders
//	LOCK           held by whichever process works in the directory
//
// A running node has its keys in a [Keyring], which takes them through rotations:
// [Keyring.Generate] makes the next keys beside the present ones, the log puts
// them in force, [Keyring.Settle] follows it. A stopped node's key file is sealed
// anew by [Reseal], copied by [CopyKeys], and freed of former sealing keys by
// [TakeOffline]. The key file remembers, by id, which keys it held and holds no more
// ([Gone]), so that people are told where a key is.
//
// # Promises
//
//  1. Nothing is overwritten: Init refuses a directory that holds anything of
//     somebody else's, and ends an Init that was cut short with the same keys.
//  2. A file appears whole or not at all, and stays after a power cut.
//  3. Secrets that others on the machine could read are refused, not used.
//  4. [Keys] print as "[node keys]".
//  5. A crash during a rotation, a resealing or a splitting loses no key, and a
//     key file that is refused stays as it is.
//
// # Trust
//
// Whoever may read the file key and the key file is the node. The directory's
// owner is trusted; other accounts of the machine are not.
package home
