package tomlfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// Decode reads a TOML text into a map or a struct with tags "toml". unknown
// are the keys that the struct has no field for, as "fields.sex.colums", in the
// order of the text.
func Decode(text string, into any) (unknown []string, err error) {
	meta, err := toml.Decode(text, into)
	if err != nil {
		return nil, plain(err)
	}
	for _, key := range meta.Undecoded() {
		unknown = append(unknown, key.String())
	}
	return unknown, nil
}

// plain takes the library's name off its errors.
func plain(err error) error {
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d: %s", syntax.Position.Line, syntax.Message)
	}
	return errors.New(strings.TrimPrefix(err.Error(), "toml: "))
}
