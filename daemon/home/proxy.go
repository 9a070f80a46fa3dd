package home

import (
	"errors"
	"fmt"
	"strings"

	"github.com/raresync/raresync/daemon/config"
)

// ErrProxyLogin reports that the name and password for the proxy cannot be read.
var ErrProxyLogin = errors.New("the proxy's name and password cannot be read")

// ProxyLogin reads the name and password for the configured proxy. What it finds
// is in no error.
func ProxyLogin(cfg config.Config) (name, password string, err error) {
	text, where, err := readSecret(cfg.Network.ProxyLogin)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrProxyLogin, err)
	}
	line := strings.TrimRight(string(text), "\r\n")
	name, password, ok := strings.Cut(line, ":")
	if !ok || name == "" || strings.ContainsAny(line, "\r\n\x00") {
		return "", "", fmt.Errorf("%w: %s: want one line, name:password", ErrProxyLogin, where)
	}
	return name, password, nil
}
