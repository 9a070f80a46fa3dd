package config

import (
	"fmt"
	"reflect"
)

// keys lists every key of the file that has a fixed name.
func keys() []string {
	var all []string
	for section := range reflect.TypeFor[Config]().Fields() {
		name := section.Tag.Get("toml")
		all = append(all, name)
		if section.Type.Kind() != reflect.Struct {
			continue
		}
		for key := range section.Type.Fields() {
			all = append(all, name+"."+key.Tag.Get("toml"))
		}
	}
	return all
}

// DidYouMean returns "; did you mean NAME?" with the name nearest to a mistyped
// word, or "" if none of them is near. Names of one letter are never guessed.
func DidYouMean(word string, names []string) string {
	best, least := "", 2+len(word)/4 // more letters wrong is another word
	for _, name := range names {
		if d := distance(word, name); len(name) > 1 && d < least {
			best, least = name, d
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
