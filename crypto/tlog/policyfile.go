package tlog

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Words of a policy file.
const (
	wordLog     = "log"
	wordWitness = "witness"
	wordGroup   = "group"
	wordQuorum  = "quorum"
	wordAll     = "all"
	wordAny     = "any"
	quorumNone  = "none"
)

// ParsePolicy reads a policy file (C2SP tlog-policy). Comments, empty lines
// and extra spaces are accepted and not kept. Log keys must be of type
// [LogEd25519], witness keys of type [CosignerEd25519] or [CosignerMLDSA44].
// The error names the line.
func ParsePolicy(file []byte) (*Policy, error) {
	if len(file) > MaxPolicyBytes {
		return nil, fmt.Errorf("parse policy: %w: longer than %d bytes", ErrMalformed, MaxPolicyBytes)
	}
	if err := checkPolicyBytes(file); err != nil {
		return nil, fmt.Errorf("parse policy: %w", err)
	}
	r := policyReader{policy: newPolicy()}
	number := 0
	for line := range bytes.Lines(file) {
		number++
		if err := r.line(string(line)); err != nil {
			return nil, fmt.Errorf("parse policy: line %d: %w", number, err)
		}
	}
	if !r.haveQuorum {
		return nil, fmt.Errorf("parse policy: %w: no quorum line", ErrMalformed)
	}
	return r.policy, nil
}

// checkPolicyBytes allows tab and newline as the only control characters, and
// asks that the last line end, which a file cut short does not.
func checkPolicyBytes(file []byte) error {
	for i, b := range file {
		if b < 0x20 && b != '\t' && b != '\n' || b == 0x7f {
			return fmt.Errorf("%w: byte %d is a control character", ErrMalformed, i)
		}
	}
	if len(file) > 0 && file[len(file)-1] != '\n' {
		return fmt.Errorf("%w: last line does not end", ErrMalformed)
	}
	return nil
}

type policyReader struct {
	policy     *Policy
	haveQuorum bool
}

func (r *policyReader) line(line string) error {
	words := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' })
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return nil
	}
	for _, word := range words {
		if len(word) > maxPolicyTokenBytes {
			return fmt.Errorf("%w: word longer than %d bytes", ErrMalformed, maxPolicyTokenBytes)
		}
	}
	switch args := words[1:]; words[0] {
	case wordLog:
		return r.log(args)
	case wordWitness:
		return r.witness(args)
	case wordGroup:
		return r.group(args)
	case wordQuorum:
		return r.quorum(args)
	default:
		return fmt.Errorf("%w: unknown keyword", ErrMalformed)
	}
}

func (r *policyReader) log(args []string) error {
	if len(args) != 1 && len(args) != 2 {
		return fmt.Errorf("%w: want log <vkey> [<url>]", ErrMalformed)
	}
	key, err := ParseVKey(args[0])
	if err != nil {
		return err
	}
	return r.policy.addLog(key, optional(args[1:]))
}

func (r *policyReader) witness(args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return fmt.Errorf("%w: want witness <name> <vkey> [<url>]", ErrMalformed)
	}
	key, err := ParseVKey(args[1])
	if err != nil {
		return err
	}
	return r.policy.addWitness(args[0], key, optional(args[2:]))
}

func optional(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (r *policyReader) group(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("%w: want group <name> all|any|<k> and members", ErrMalformed)
	}
	name, members := args[0], args[2:]
	threshold := 1
	switch args[1] {
	case wordAny:
	case wordAll:
		threshold = len(members)
	default:
		k, err := parseDecimal(args[1], uint64(len(members)))
		if err != nil {
			return fmt.Errorf("threshold: %w", err)
		}
		threshold = int(k)
	}
	return r.policy.addGroup(name, threshold, members)
}

func (r *policyReader) quorum(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: want quorum <name>", ErrMalformed)
	}
	if r.haveQuorum {
		return fmt.Errorf("%w: second quorum line", ErrMalformed)
	}
	r.haveQuorum = true
	if args[0] == quorumNone {
		return nil
	}
	c, ok := r.policy.byName[args[0]]
	if !ok {
		return fmt.Errorf("%w: quorum is not defined above", ErrMalformed)
	}
	r.policy.quorum = c
	return nil
}

// Marshal writes the policy file: logs, then witnesses and groups in their
// order, then the quorum, with single spaces and without comments. Parsed
// again, it writes the same bytes.
func (p *Policy) Marshal() []byte {
	var b strings.Builder
	line := func(words ...string) {
		if last := len(words) - 1; words[last] == "" { // no URL
			words = words[:last]
		}
		b.WriteString(strings.Join(words, " ") + "\n")
	}
	for _, log := range p.logs {
		line(wordLog, log.key.String(), log.url)
	}
	for _, c := range p.components {
		if c.key != nil {
			line(wordWitness, c.name, c.key.String(), c.url)
		} else {
			line(append([]string{wordGroup, c.name, c.thresholdWord()}, c.memberNames()...)...)
		}
	}
	if p.quorum != nil {
		line(wordQuorum, p.quorum.name)
	} else {
		line(wordQuorum, quorumNone)
	}
	return []byte(b.String())
}

func (c *component) thresholdWord() string {
	switch c.threshold {
	case len(c.members):
		return wordAll
	case 1:
		return wordAny
	default:
		return strconv.Itoa(c.threshold)
	}
}

func (c *component) memberNames() []string {
	names := make([]string, len(c.members))
	for i, member := range c.members {
		names[i] = member.name
	}
	return names
}
