package canary

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"testing"
)

// keeper says to this test's program that it is only to keep what it reads.
const keeper = "RARESYNC_CANARY_KEEPER"

func TestMain(m *testing.M) {
	if os.Getenv(keeper) != "" {
		keep()
		return
	}
	os.Exit(m.Run())
}

// keep holds what it was given in memory until there is no more.
func keep() {
	fmt.Println("ready")
	in := bufio.NewReader(os.Stdin)
	kept, _ := in.ReadString('\n')
	fmt.Println("kept")
	_, _ = io.Copy(io.Discard, in)
	fmt.Println(len(kept))
}

func TestMemoryOfAnotherProcessIsSearched(t *testing.T) {
	m := minted(8)
	s := New(m)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), keeper+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(out)
	if line, err := answer.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	before, searched, err := s.Memory(cmd.Process.Pid)
	if err != nil || len(before) > 0 || searched < 256<<10 {
		t.Errorf("before: %v in %d bytes, %v", before, searched, err)
	}
	fmt.Fprintln(in, "the patient is", m[0].Value)
	if line, err := answer.ReadString('\n'); line != "kept\n" {
		t.Fatalf("%q, %v", line, err)
	}
	hits, _, err := s.Memory(cmd.Process.Pid)
	if err != nil || len(hits) == 0 || hits[0].Marker != m[0] {
		t.Errorf("found %v, %v", hits, err)
	}
	if err := errorsOf(in.Close(), cmd.Wait()); err != nil { // it runs on after the search
		t.Error(err)
	}
	if _, _, err := s.Memory(cmd.Process.Pid); err == nil {
		t.Error("the memory of a process that has ended was searched")
	}
}

// TestFramesOnTheLoopbackAreSearched sends a marker in clear to itself.
func TestFramesOnTheLoopbackAreSearched(t *testing.T) {
	m := minted(9)
	c, err := Listen(New(m), "lo")
	switch {
	case err == nil:
	case os.Getenv("RARESYNC_REQUIRE_ROOT") == "1":
		t.Fatal(err)
	default:
		t.Skipf("no frame was searched: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	received := make(chan int)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			close(received)
			return
		}
		raw, _ := io.ReadAll(conn)
		received <- len(raw)
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("POST /v1/x HTTP/1.1\r\n\r\n%x %s", m[0].Value, m[1].Value)
	_, err = io.WriteString(conn, text)
	if err := errorsOf(err, conn.Close()); err != nil {
		t.Fatal(err)
	}
	if n := <-received; n != len(text) {
		t.Fatalf("%d of %d bytes arrived", n, len(text))
	}
	if err := c.Close(); err != nil {
		t.Log(err) // others use this interface, too
	}
	found := map[string]bool{}
	for _, h := range c.Hits() {
		found[h.Marker.What] = true
	}
	if !found[m[0].What] || !found[m[1].What] || len(found) != 2 {
		t.Errorf("found %v, want a name and a phone", found)
	}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	if all, carried := c.Searched(port); all < carried || carried != int64(len(text)) {
		t.Errorf("%d bytes were captured, %d of them to and from port %d; want %d", all, carried, port, len(text))
	}
}
