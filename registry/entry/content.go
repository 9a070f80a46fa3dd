package entry

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// Content returns the fields of the entry's type as JSON for people and
// programs: names in lower case with underscores, enumerations and dates as
// words, counts as the numbers they say, what is not given left out, and the extension as the JSON it is. It is
// an output format only; nothing reads it back.
func (e Entry) Content() (json.RawMessage, error) {
	var v any
	switch {
	case e.Any():
		v = plain(e.Facts.value())
	case e.Consent != nil:
		v = plainStruct(reflect.ValueOf(*e.Consent))
	case e.Correction != nil:
		v = plainStruct(reflect.ValueOf(*e.Correction))
	case e.Alias != nil:
		v = plainStruct(reflect.ValueOf(*e.Alias))
	case e.Query != nil:
		v = plainStruct(reflect.ValueOf(*e.Query))
	case e.Reply != nil:
		v = plainStruct(reflect.ValueOf(*e.Reply))
	case e.Card != nil:
		v = plainStruct(reflect.ValueOf(*e.Card))
	case e.Intake != nil:
		v = plainStruct(reflect.ValueOf(*e.Intake))
	case e.Letter != nil:
		v = plainStruct(reflect.ValueOf(*e.Letter))
	case e.Check != nil:
		v = plainStruct(reflect.ValueOf(*e.Check))
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("entry content: %w", err)
	}
	return b, nil
}

// plain turns a value of this package into what encoding/json writes well. Nil
// means that nothing is given.
func plain(v reflect.Value) any {
	if v.IsZero() {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem())
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[[]byte]() {
			return json.RawMessage(v.Bytes()) // an extension
		}
		var list []any
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	case reflect.Array:
		return fmt.Sprintf("%x", v.Interface())
	}
	switch x := v.Interface().(type) {
	case Count:
		n, _ := x.Value()
		return n
	case fmt.Stringer:
		return x.String()
	}
	if v.Kind() == reflect.Struct {
		return plainStruct(v)
	}
	return v.Interface()
}

func plainStruct(v reflect.Value) any {
	fields := map[string]any{}
	for i := range v.NumField() {
		if x := plain(v.Field(i)); x != nil {
			fields[snake(v.Type().Field(i).Name)] = x
		}
	}
	return fields
}

// snake turns a Go name into lower case with underscores: LastEncounter into
// last_encounter, HGVSCoding into hgvs_coding.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		next := i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if unicode.IsUpper(r) && i > 0 && (next || unicode.IsLower(runes[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// value returns the facts that are set.
func (f Facts) value() reflect.Value {
	for _, v := range reflect.ValueOf(f).Fields() {
		if !v.IsNil() {
			return v
		}
	}
	return reflect.Value{}
}
