package config

import (
	"fmt"
	"reflect"
)

// keys lists every key of the file that has a fixed name.
func keys() []string {
	var all []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		f := t.Field(i)
		section := f.Tag.Get("toml")
		all = append(all, section)
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		for j := range f.Type.NumField() {
			all = append(all, section+"."+f.Type.Field(j).Tag.Get("toml"))
		}
	}
	return all
}

func didYouMean(key string) string {
	best, least := "", 2+len(key)/4 // more letters wrong is another word
	for _, known := range keys() {
		if d := distance(key, known); d < least {
			best, least = known, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance counts the letters to insert, drop or exchange to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
