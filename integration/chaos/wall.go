package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Hide puts a node behind a router that translates addresses: it reaches the
// others, and nothing reaches it that it did not ask for. What runs in the node's
// namespace already stays on the outside.
func (l *LAN) Hide(node int) error {
	inner, err := newNamespace()
	if err != nil {
		return err
	}
	router := l.namespaces[node]
	l.routers = append(l.routers, router)
	l.namespaces[node] = inner
	err = router.do(func() error {
		if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o600); err != nil {
			return err
		}
		// The child has the namespace as its descriptor 3.
		return ip(inner.file, "link add inside type veth peer name eth0 netns /proc/self/fd/3",
			"addr add 10.78.0.1/24 dev inside", "link set inside up")
	})
	if err != nil {
		return err
	}
	err = inner.do(func() error {
		return ip(nil, "addr add 10.78.0.2/24 dev eth0", "link set lo up", "link set eth0 up", "route add default via 10.78.0.1")
	})
	if err != nil {
		return err
	}
	return router.nft(`table inet wall {
		chain behind {
			type nat hook postrouting priority 100
			oifname "eth0" masquerade
		}
		chain through {
			type filter hook forward priority 0; policy drop;
			iifname "inside" accept
			ct state established,related accept
		}
		chain in {
			type filter hook input priority 0; policy drop;
		}
	}`)
}

// Fence lets a node open connections to one other alone, and nobody to it.
func (l *LAN) Fence(node, gate int) error {
	return l.namespaces[node].nft(fmt.Sprintf(`table inet wall {
		chain in {
			type filter hook input priority 0; policy drop;
			iif lo accept
			ct state established,related accept
		}
		chain out {
			type filter hook output priority 0; policy drop;
			oif lo accept
			ct state established,related accept
			ip daddr %s accept
		}
	}`, l.Address(gate)))
}

// ip configures the namespace that this thread is in; the commands get a file as
// their descriptor 3.
func ip(file *os.File, commands ...string) error {
	for _, c := range commands {
		cmd := exec.Command("ip", strings.Fields(c)...)
		if file != nil {
			cmd.ExtraFiles = []*os.File{file}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", c, err, out)
		}
	}
	return nil
}
