package consensus

import (
	_ "filippo.io/age"
	_ "github.com/raresync/raresync/crypto/sign"
	_ "github.com/raresync/raresync/daemon/mesh"
)
