package tlog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestVoterPolicyAsksForAMajority(t *testing.T) {
	n := newNetwork(5, 4)
	all := n.signed(0, 1, 2, 3, 4).Signatures
	log, voter := all[:1], func(v int) []NoteSignature { return all[1+2*v : 3+2*v] }
	secondLog := []NoteSignature{must(n.logs[1].Sign(n.cp))}
	stranger := must(testCosigner("stranger").Cosign(n.cp, testTime))

	for name, tc := range map[string]struct {
		sigs []NoteSignature
		want error
	}{
		"all voters":                       {all, nil},
		"three of five":                    {slices.Concat(log, voter(0), voter(2), voter(4)), nil},
		"three of five under another log":  {slices.Concat(secondLog, voter(0), voter(2), voter(4)), nil},
		"three of five under two logs":     {slices.Concat(log, secondLog, voter(0), voter(2), voter(4)), nil},
		"three and half a fourth":          {slices.Concat(log, voter(0), voter(1), voter(2), voter(3)[:1]), nil},
		"three and a stranger":             {slices.Concat(log, stranger, voter(0), voter(1), voter(2)), nil},
		"no log":                           {slices.Concat(voter(0), voter(1), voter(2)), ErrPolicy},
		"two of five":                      {slices.Concat(log, voter(0), voter(1)), ErrPolicy},
		"two and a half":                   {slices.Concat(log, voter(0), voter(1), voter(2)[:1]), ErrPolicy},
		"two and the other half":           {slices.Concat(log, voter(0), voter(1), voter(2)[1:]), ErrPolicy},
		"halves of three and three others": {slices.Concat(log, voter(0)[:1], voter(1)[:1], voter(2)[:1], voter(3)[1:], voter(4)[1:]), ErrPolicy},
		"two and a stranger":               {slices.Concat(log, voter(0), voter(1), stranger), ErrPolicy},
		"one voter three times":            {slices.Concat(log, voter(0), voter(0), voter(0)), ErrPolicy},
		"nobody":                           {nil, ErrPolicy},
		"one that does not verify":         {slices.Concat(all[:10], []NoteSignature{swapBlob(all[10], all[8])}), ErrSignature},
		"a log that does not verify":       {slices.Concat([]NoteSignature{swapBlob(log[0], secondLog[0])}, all[1:]), ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := n.policy.Verify(SignedCheckpoint{n.cp, tc.sigs})
			wantError(t, err, tc.want)
		})
	}
}

func TestMajorities(t *testing.T) {
	for voters, need := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 7: 4, 9: 5} {
		n := newNetwork(voters, 1)
		numbers := make([]int, voters)
		for i := range numbers {
			numbers[i] = i
		}
		got, err := n.policy.Verify(n.signed(numbers[:need]...))
		if err != nil || len(got) != need {
			t.Errorf("%d of %d: got %v, %v", need, voters, got, err)
		}
		if _, err := n.policy.Verify(n.signed(numbers[:need-1]...)); err == nil {
			t.Errorf("%d of %d are enough", need-1, voters)
		}
	}
}

func TestHalvesAtTwoTimesAreRefused(t *testing.T) {
	n := newNetwork(1, 4)
	sc := n.signed(0)
	sc.Signatures[2] = must(n.voters[0].Cosign(n.cp, testTime+1))[1]
	_, err := n.policy.Verify(sc)
	wantError(t, err, ErrSignature)
}

func TestOneOriginDoesNotVouchForAnother(t *testing.T) {
	n := newNetwork(1, 4)
	next := Checkpoint{Origin: testNetwork + "/2", Size: n.cp.Size, Root: n.cp.Root}
	sc := SignedCheckpoint{Checkpoint: next, Signatures: n.signed(0).Signatures[:1]}
	sc.Signatures = append(sc.Signatures, must(n.voters[0].Cosign(next, testTime))...)
	_, err := n.policy.Verify(sc)
	wantError(t, err, ErrPolicy)
}

func TestVerifyNamesWhoVouched(t *testing.T) {
	n := newNetwork(3, 4)
	sc := n.signed(0, 2)
	sc.Signatures = append(sc.Signatures, must(n.voters[1].Cosign(n.cp, testTime))[0]) // half of it
	got := must(n.policy.Verify(sc))
	want := []Cosignature{{testNetwork + "/v/n1", testTime}, {testNetwork + "/v/n3", testTime + 120}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMedianTime(t *testing.T) {
	for name, tc := range map[string]struct {
		times []uint64
		want  uint64
	}{
		"of none":                        {nil, 0},
		"of one":                         {[]uint64{7}, 7},
		"of two is the earlier":          {[]uint64{9, 7}, 7},
		"of three is the middle":         {[]uint64{9, 1, 7}, 7},
		"of four is the earlier middle":  {[]uint64{9, 1, 7, 8}, 7},
		"is not moved by one wild clock": {[]uint64{100, 1 << 62, 101}, 101},
	} {
		t.Run(name, func(t *testing.T) {
			var cosignatures []Cosignature
			for _, at := range tc.times {
				cosignatures = append(cosignatures, Cosignature{UnixSeconds: at})
			}
			if got := MedianTime(cosignatures); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

// vkeyOf returns a vkey of a type for policies whose keys never sign.
func vkeyOf(typ KeyType, label string) string {
	return must(NewVKey("key", typ, must(ed25519Public(testEd25519(label))))).String()
}

func witnessLines(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "witness %s %s\n", name, vkeyOf(CosignerEd25519, name))
	}
	return b.String()
}

// The groups are those of the example in C2SP tlog-policy.
func TestSpecificationExamplePolicy(t *testing.T) {
	file := "# of the specification\n\nlog " + vkeyOf(LogEd25519, "log") + " https://log.example/\n" +
		witnessLines("X1", "X2", "X3") + "\tgroup\tX-witnesses 2  X1 X2 X3 \n" +
		witnessLines("Y1", "Y2", "Y3") + "group Y-witnesses any Y1 Y2 Y3\n" +
		"  # both\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
	p := must(ParsePolicy([]byte(file)))
	for witnesses, want := range map[string]bool{
		"X1 X2 Y1":          true,
		"X2 X3 Y3":          true,
		"X1 X2 X3 Y1 Y2 Y3": true,
		"X1 X2 X3":          false,
		"X1 Y1 Y2 Y3":       false,
		"":                  false,
	} {
		signed := make(map[*component]bool)
		for name := range strings.FieldsSeq(witnesses) {
			signed[p.byName[name]] = true
		}
		if got := p.quorum.witnessed(signed); got != want {
			t.Errorf("quorum of %q: got %v, want %v", witnesses, got, want)
		}
	}
	written := string(p.Marshal())
	for _, line := range []string{"group X-witnesses 2 X1 X2 X3\n", "group Y-witnesses any Y1 Y2 Y3\n", " https://log.example/\n"} {
		if !strings.Contains(written, line) {
			t.Errorf("written policy lacks %q:\n%s", line, written)
		}
	}
}

func TestVoterPolicyIsReadBack(t *testing.T) {
	n := newNetwork(3, 4)
	file := n.policy.Marshal()
	p := must(ParsePolicy(file))
	if again := p.Marshal(); !bytes.Equal(again, file) {
		t.Errorf("got %s, want %s", again, file)
	}
	if got := must(p.Verify(n.signed(0, 1))); len(got) != 2 {
		t.Errorf("got %v, want two cosignatures", got)
	}
	_, err := p.Verify(n.signed(0))
	wantError(t, err, ErrPolicy)
}

func TestQuorumOfOneWitnessOrNone(t *testing.T) {
	n := newNetwork(1, 4)
	log, witness := "log "+n.logs[0].VKey().String()+"\n", "witness w "+n.voters[0].Key().VKeys()[1]+"\n"
	for name, tc := range map[string]struct {
		file string
		sc   SignedCheckpoint
		want error
	}{
		"none, unsigned":      {log + "quorum none\n", n.signed(), nil},
		"witness has signed":  {log + witness + "quorum w\n", n.signed(0), nil},
		"witness is missing":  {log + witness + "quorum w\n", n.signed(), ErrPolicy},
		"no log is known":     {"quorum none\n", n.signed(0), ErrPolicy},
		"witness in no group": {log + witness + "quorum none\n", n.signed(0), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := must(ParsePolicy([]byte(tc.file))).Verify(tc.sc)
			wantError(t, err, tc.want)
		})
	}
}

func TestBadPoliciesAreRefused(t *testing.T) {
	log := "log " + vkeyOf(LogEd25519, "log") + "\n"
	two := witnessLines("a", "b")
	manyLogs, manyWitnesses, manyGroups := "", "", witnessLines("g0")
	for i := range 65 {
		manyLogs += "log " + vkeyOf(LogEd25519, fmt.Sprint(i)) + "\n"
		manyWitnesses += witnessLines(fmt.Sprint(i))
	}
	for i := range 128 {
		manyGroups += fmt.Sprintf("group g%d all g%d\n", i+1, i)
	}
	for name, file := range map[string]string{
		"empty":                      "",
		"no quorum":                  log + two,
		"two quorums":                log + two + "quorum a\nquorum b\n",
		"quorum defined below":       log + "quorum a\n" + two,
		"quorum of two words":        log + two + "quorum a b\n",
		"quorum without a name":      log + "quorum\n",
		"an unknown keyword":         log + "logs\nquorum none\n",
		"last line does not end":     log + "quorum none",
		"a carriage return":          log + "quorum none\r\n",
		"a delete character":         log + "quorum none\x7f\n",
		"log without a key":          "log\nquorum none\n",
		"log with too much":          strings.TrimSuffix(log, "\n") + " url more\nquorum none\n",
		"log with a witness's key":   "log " + vkeyOf(CosignerEd25519, "log") + "\nquorum none\n",
		"log with a broken key":      "log x+00000000+AAAA\nquorum none\n",
		"the same log twice":         log + log + "quorum none\n",
		"one log key, two names":     log + "log " + must(NewVKey("other", LogEd25519, must(ParseVKey(vkeyOf(LogEd25519, "log"))).Public())).String() + "\nquorum none\n",
		"65 logs":                    manyLogs + "quorum none\n",
		"witness without a key":      "witness a\nquorum none\n",
		"witness with too much":      strings.TrimSuffix(witnessLines("a"), "\n") + " url more\nquorum none\n",
		"witness with a broken key":  "witness a x+00000000+AAAA\nquorum none\n",
		"witness with a log's key":   "witness a " + vkeyOf(LogEd25519, "a") + "\nquorum none\n",
		"witness named none":         "witness none " + vkeyOf(CosignerEd25519, "a") + "\nquorum none\n",
		"one witness key, two names": two + "witness c " + vkeyOf(CosignerEd25519, "a") + "\nquorum none\n",
		"one name, two witnesses":    two + "witness a " + vkeyOf(CosignerEd25519, "c") + "\nquorum none\n",
		"65 witnesses":               manyWitnesses + "quorum none\n",
		"group named as a witness":   two + "group a all b\nquorum none\n",
		"group named none":           two + "group none all b\nquorum none\n",
		"group without members":      two + "group g all\nquorum none\n",
		"group of itself":            two + "group g all g\nquorum g\n",
		"group defined below":        two + "group g all h\ngroup h all a\nquorum g\n",
		"group member none":          two + "group g all none\nquorum g\n",
		"member listed twice":        two + "group g all a a\nquorum g\n",
		"member of two groups":       two + "group g all a\ngroup h all a b\nquorum h\n",
		"threshold 0":                two + "group g 0 a b\nquorum g\n",
		"threshold above members":    two + "group g 3 a b\nquorum g\n",
		"threshold with a zero":      two + "group g 02 a b\nquorum g\n",
		"threshold of another word":  two + "group g most a b\nquorum g\n",
		"129 witnesses and groups":   manyGroups + "quorum none\n",
		"a name without end":         two + "group " + strings.Repeat("g", 4096) + " all a\nquorum a\n",
		"far too long":               strings.Repeat("#\n", MaxPolicyBytes),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePolicy([]byte(file))
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestVoterPolicyRefusesBadLists(t *testing.T) {
	n := newNetwork(2, 1)
	logs := []*VKey{n.logs[0].VKey()}
	a := n.voters[0].Key()
	for name, tc := range map[string]struct {
		logs   []*VKey
		voters []*CosignerKey
	}{
		"no voters":          {logs, nil},
		"one voter twice":    {logs, []*CosignerKey{a, a}},
		"one log twice":      {[]*VKey{logs[0], logs[0]}, []*CosignerKey{a}},
		"a voter as the log": {[]*VKey{a.ed}, []*CosignerKey{a}},
		"two voters, one key": {logs, []*CosignerKey{a,
			must(NewCosignerKey("other", n.voters[1].Key().ed.Public(), a.ml.Public()))}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := VoterPolicy(tc.logs, tc.voters)
			wantError(t, err, ErrMalformed)
		})
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(newNetwork(2, 1).policy.Marshal())
	f.Add([]byte("# c\n" + witnessLines("a", "b", "c") + "group g 2 a b c\nquorum g\n"))
	f.Add([]byte(witnessLines("\xe2\x84\xaa") + "group \xff any \xe2\x84\xaa\nquorum \xff\n"))
	f.Add([]byte("quorum none\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := ParsePolicy(file)
		if err != nil {
			return
		}
		written := p.Marshal()
		if again := must(ParsePolicy(written)).Marshal(); !bytes.Equal(again, written) {
			t.Fatalf("%q is written %q, then %q", file, written, again)
		}
	})
}
