package mesh

import (
	"net"
	"testing"
)

func TestTrafficIsOfBothDirections(t *testing.T) {
	var m Mesh
	a, b := net.Pipe()
	counted := m.traffic.count(a)
	go func() {
		_, _ = b.Write(make([]byte, 7))
		_ = b.Close()
	}()
	n, err := counted.Read(make([]byte, 100))
	if n != 7 || err != nil {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	if _, err := counted.Write([]byte("lost")); err == nil {
		t.Fatal("written to a connection that is closed")
	}
	if received, sent := m.Traffic(); received != 7 || sent != 0 {
		t.Errorf("%d bytes received and %d sent, want 7 and 0", received, sent)
	}
}
