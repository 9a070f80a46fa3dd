package act

import (
	_ "crypto/rand"
	"fmt"
	"log/slog"
	"math/rand/v2"
	_ "net/http"
)

func draw(r *rand.Rand) {
	slog.Info("drawn", "value", slog.StringValue("none"))
	go fmt.Println(rand.IntN(3), r.IntN(3), rand.New(rand.NewPCG(1, 2)))
}
