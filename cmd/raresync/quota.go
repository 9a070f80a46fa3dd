package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

// saidQuota is what one --quota says: persons a day, for one hospital or, without
// its name, for all.
type saidQuota struct {
	text, name string
	named      bool
	persons    uint64
}

// readQuotas reads --quota as it was repeated: each hospital once.
func readQuotas(said []string, least uint64) ([]saidQuota, error) {
	var out []saidQuota
	for _, text := range said {
		q := saidQuota{text: text}
		number := text
		if name, after, named := strings.Cut(text, "="); named {
			q.name, q.named, number = name, true, after
		}
		var err error
		if q.persons, err = strconv.ParseUint(number, 10, 64); err != nil || q.persons < least || q.persons > act.MaxAllowance {
			return nil, usagef("--quota %s: want %d to %d persons a day", text, least, act.MaxAllowance)
		}
		if slices.ContainsFunc(out, func(other saidQuota) bool { return other.named == q.named && other.name == q.name }) {
			return nil, usagef("--quota %s: the same was said before", text)
		}
		out = append(out, q)
	}
	return out, nil
}

// setQuotas gives a plan what --quota says: a number for every hospital, and
// others for the hospitals of the nodes that are named.
func setQuotas(plan *founding.Plan, said []string) error {
	list, err := readQuotas(said, 1)
	if err != nil {
		return err
	}
	for _, q := range list {
		if !q.named {
			plan.Policy.QuotaFloor = q.persons
			continue
		}
		hospital, ok := plan.HospitalOf(q.name)
		if !ok {
			return usagef("--quota %s: no card of a hospital has a node %q", q.text, q.name)
		}
		plan.Policy.Quotas = append(plan.Policy.Quotas, act.Quota{Hospital: hospital, Elements: q.persons})
	}
	sortQuotas(plan.Policy.Quotas)
	return nil
}

// changedQuotas returns the hospitals' own quotas with what --quota says, by
// their numbers, in place of what was; 0 persons takes one away.
func changedQuotas(now []act.Quota, said []string) ([]act.Quota, error) {
	list, err := readQuotas(said, 0)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(now)
	for _, q := range list {
		number, err := strconv.ParseUint(q.name, 10, 32)
		if err != nil || number == 0 || q.name != fmt.Sprint(number) {
			return nil, usagef("--quota %s: want NUMBER=PERSONS, the number as raresync member list shows it", q.text)
		}
		out = slices.DeleteFunc(out, func(own act.Quota) bool { return own.Hospital == uint32(number) })
		if q.persons > 0 {
			out = append(out, act.Quota{Hospital: uint32(number), Elements: q.persons})
		}
	}
	sortQuotas(out)
	return out, nil
}

func sortQuotas(list []act.Quota) {
	slices.SortFunc(list, func(a, b act.Quota) int { return cmp.Compare(a.Hospital, b.Hospital) })
}
