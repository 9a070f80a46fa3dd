package mesh

import (
	"testing"
	"testing/synctest"
	"time"

	_ "go.uber.org/goleak"
)

func TestSlow(t *testing.T) { time.Sleep(time.Second) }

func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { time.Sleep(time.Second) })
}
