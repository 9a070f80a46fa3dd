package config

import (
	"errors"
	"net"
	"net/url"
	"path/filepath"
)

// Errors of [ParseCopy].
var (
	errCopyAddress = errors.New("want https://host/path or file:///path, or http:// at a loopback address")
	errCopyLogin   = errors.New("name and password do not belong into the address of a static copy")
)

// ParseCopy reads the address of a static copy. Plain HTTP is for a web server on
// this machine: the sealed bodies of a network are its members' business. What may be
// a password is in no error.
func ParseCopy(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errCopyAddress
	}
	if u.User != nil {
		return nil, errCopyLogin
	}
	plain := u.RawQuery == "" && u.Fragment == "" && u.Opaque == ""
	switch {
	case plain && u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path):
		return u, nil
	case plain && u.Scheme == "https" && u.Hostname() != "":
		return u, nil
	case plain && u.Scheme == "http" && net.ParseIP(u.Hostname()).IsLoopback():
		return u, nil
	}
	return nil, errCopyAddress
}
