package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// later is a run of some parts alone, whose figures stand in the results of an
// earlier one.
type later struct {
	Parts   []string  `json:"parts"`
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Load    string    `json:"load"`
	Go      string    `json:"go"`
}

func readResults(path string) (*results, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(results)
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// take puts the figures of a later run of some parts in the place of those that
// have the same name, and behind the others.
func (r *results) take(of *results, parts []string) {
	for _, s := range of.Series {
		if old := r.find(s.Name); old != nil {
			*old = *s
			continue
		}
		r.Series = append(r.Series, s)
	}
	r.Later = append(r.Later, later{parts, of.Began, of.Seconds, of.Load, of.Go})
}
