package sign

import (
	"crypto/rand"
	"os"
	"time"

	_ "example.com/unknown"
	_ "github.com/raresync/raresync/registry/act"
)

var started, process, salt = time.Now(), os.Getpid(), rand.Text()
