package chaos

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// maxFrame is the largest Ethernet frame: 1500 bytes and two addresses, a tag
// and a type.
const maxFrame = 1518

// openTAP makes the interface eth0 of the namespace that this thread is in,
// with an address in a network of 256. What the kernel sends there is read from
// the file, and the reverse.
func openTAP(address netip.Addr) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	file := func() *os.File { return os.NewFile(uintptr(fd), "tap") } // a device is polled once it is attached
	if err := attach(fd, address); err != nil {
		return nil, fmt.Errorf("make a TAP device: %w", joinClose(err, file()))
	}
	return file(), nil
}

func attach(fd int, address netip.Addr) error {
	tap, err := unix.NewIfreq("eth0")
	if err != nil {
		return err
	}
	tap.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, tap); err != nil {
		return err
	}
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(control)
	own, mask := address.As4(), [4]byte{255, 255, 255, 0}
	for _, step := range []struct {
		request uint
		device  string
		set     func(*unix.Ifreq) error
	}{
		{unix.SIOCSIFADDR, "eth0", func(r *unix.Ifreq) error { return r.SetInet4Addr(own[:]) }},
		{unix.SIOCSIFNETMASK, "eth0", func(r *unix.Ifreq) error { return r.SetInet4Addr(mask[:]) }},
		{unix.SIOCSIFFLAGS, "eth0", up},
		{unix.SIOCSIFFLAGS, "lo", up},
	} {
		r, err := unix.NewIfreq(step.device)
		if err != nil {
			return err
		}
		if err := step.set(r); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(control, step.request, r); err != nil {
			return fmt.Errorf("configure %s: %w", step.device, err)
		}
	}
	return nil
}

func up(r *unix.Ifreq) error {
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return nil
}
