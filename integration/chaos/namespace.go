package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// namespace is a network of its own. It has no name and ends when nothing uses
// it any more.
type namespace struct{ file *os.File }

func newNamespace() (namespace, error) {
	type answer struct {
		file *os.File
		err  error
	}
	made := make(chan answer)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- answer{nil, fmt.Errorf("make a network namespace: %w", err)}
			return
		}
		file, err := threadNamespace()
		made <- answer{file, err}
	}()
	a := <-made
	return namespace{a.file}, a.err
}

// threadNamespace opens the network namespace that this thread is in.
func threadNamespace() (*os.File, error) { return os.Open("/proc/thread-self/ns/net") }

// do runs f on a thread in the namespace. What f starts or opens stays there.
// The thread lives on afterwards: a child may be set to die with it.
func (n namespace) do(f func() error) error {
	done := make(chan error)
	go func() { done <- n.visit(f) }()
	return <-done
}

// nft loads rules of the kernel's packet filter.
func (n namespace) nft(rules string) error {
	return n.do(func() error {
		if out, err := exec.Command("nft", rules).CombinedOutput(); err != nil {
			return fmt.Errorf("nft %s: %w: %s", rules, err, out)
		}
		return nil
	})
}

func (n namespace) visit(f func() error) error {
	runtime.LockOSThread()
	outside, err := threadNamespace()
	if err != nil {
		return err
	}
	defer outside.Close()
	if err := enter(n.file); err != nil {
		return err
	}
	err = f()
	if back := enter(outside); back != nil {
		return back // still locked: the thread is not used again
	}
	runtime.UnlockOSThread()
	return err
}

func enter(file *os.File) error {
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: %w", err)
	}
	return nil
}
