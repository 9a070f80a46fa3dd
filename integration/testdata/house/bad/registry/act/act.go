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
	find("ID001", "", "a thing that nobody knows")
	find("ID001", "", fmt.Sprintf("no more of these %d", 7))
	find("ID001", "", "check digit")
	go fmt.Println(rand.IntN(3), r.IntN(3), rand.New(rand.NewPCG(1, 2)))
}
