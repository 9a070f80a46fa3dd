package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/raresync/raresync/registry/tomlfile"
)

// maxFileBytes bounds a configuration file.
const maxFileBytes = 1 << 20

// Load reads, resolves and validates a configuration file. What is wrong with
// its content is a [*Problems]; a file that cannot be read is the system's
// error.
func Load(path string) (Config, error) {
	raw, err := read(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	p := &Problems{File: path}
	c := decode(string(raw), p)
	place, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	if err := c.Resolve(filepath.Dir(place)); err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	c.check(p)
	if len(p.List) > 0 {
		p.sort()
		return Config{}, p
	}
	return c, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(raw) > maxFileBytes {
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFileBytes)
	}
	return raw, err
}

// decode reads each key by itself, so that one value of the wrong type does
// not hide the other problems.
func decode(text string, p *Problems) Config {
	c := Default()
	var sections map[string]any
	if _, err := tomlfile.Decode(text, &sections); err != nil {
		p.add("", "%s", err)
		c.Node.ID = "unread" // not known to be missing: report the syntax alone
		return c
	}
	p.fill("", sections, reflect.ValueOf(&c).Elem())
	return c
}

// fill sets the fields of a struct from a table by their names in the file.
func (p *Problems) fill(prefix string, table map[string]any, into reflect.Value) {
	known := map[string]reflect.Value{}
	for i := range into.NumField() {
		known[into.Type().Field(i).Tag.Get("toml")] = into.Field(i)
	}
	for name, value := range table {
		field, ok := known[name]
		if !ok {
			p.add(prefix+name, "is not known%s", DidYouMean(prefix+name, keys()))
			continue
		}
		inner, isTable := value.(map[string]any)
		switch {
		case field.Kind() != reflect.Struct:
			p.set(prefix+name, value, field)
		case isTable:
			p.fill(prefix+name+".", inner, field)
		default:
			p.add(prefix+name, "want a table, written [%s]", name)
		}
	}
}

// set sets one field. The configuration holds texts, yes or no, whole
// numbers, durations as texts, and lists of texts by name.
func (p *Problems) set(key string, value any, field reflect.Value) {
	if duration, ok := field.Addr().Interface().(*time.Duration); ok {
		text, _ := value.(string)
		var err error
		if *duration, err = time.ParseDuration(text); err != nil {
			p.add(key, `want a time with its unit, as "72h"`)
		}
		return
	}
	if v := reflect.ValueOf(value); v.Type() == field.Type() {
		field.Set(v)
		return
	}
	switch field.Kind() {
	case reflect.String:
		p.add(key, "want a text in quotes")
	case reflect.Bool:
		p.add(key, "want true or false")
	case reflect.Int64:
		p.add(key, "want a whole number")
	case reflect.Slice:
		p.setList(key, value, field)
	default:
		p.setLists(key, value, field)
	}
}

func (p *Problems) setList(key string, value any, field reflect.Value) {
	texts, ok := textsOf(value)
	if !ok {
		p.add(key, `want a list of texts, as ["https://host/path"]`)
		return
	}
	field.Set(reflect.ValueOf(texts))
}

func textsOf(value any) (texts []string, ok bool) {
	list, ok := value.([]any)
	for _, one := range list {
		text, isText := one.(string)
		texts, ok = append(texts, text), ok && isText
	}
	return texts, ok
}

func (p *Problems) setLists(key string, value any, field reflect.Value) {
	table, ok := value.(map[string]any)
	if !ok {
		p.add(key, "want a table, written [%s]", key)
		return
	}
	lists := map[string][]string{}
	for name, value := range table {
		texts, ok := textsOf(value)
		if !ok {
			p.add(key+"."+name, `want a list of texts, as ["host:8470"]`)
			continue
		}
		lists[name] = texts
	}
	field.Set(reflect.ValueOf(lists))
}
