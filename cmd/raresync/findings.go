package main

import (
	"errors"
	"fmt"
)

var (
	errPartly  = errors.New("some files or rows were refused")
	errNothing = errors.New("no file was accepted")
)

// verdict turns counts into the error that carries the exit code.
func verdict(accepted, refused int) error {
	switch {
	case refused == 0:
		return nil
	case accepted == 0:
		return coded{exitInvalid, errNothing}
	}
	return coded{exitPartly, fmt.Errorf("%w: %d of %d", errPartly, refused, accepted+refused)}
}
