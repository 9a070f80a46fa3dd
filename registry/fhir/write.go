package fhir

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/raresync/raresync/registry/jsontree"
)

// appendJSON appends what a packet is built of, the members of an object sorted by
// name.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return jsontree.AppendText(b, v)
	case json.Number:
		return append(b, v...)
	case bool:
		return strconv.AppendBool(b, v)
	case object:
		return appendObject(b, v)
	case []any:
		return appendList(b, v)
	case []string:
		return appendList(b, v)
	}
	raw, err := json.Marshal(v) // the few others, all of them numbers
	if err != nil {
		panic("fhir: built what is not JSON: " + err.Error())
	}
	return append(b, raw...)
}

func appendObject(b []byte, v object) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(v)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsontree.AppendText(b, name), ':')
		b = appendJSON(b, v[name])
	}
	return append(b, '}')
}

func appendList[T any](b []byte, list []T) []byte {
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, item)
	}
	return append(b, ']')
}
