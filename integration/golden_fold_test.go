package integration

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// A golden network says most things several times, far apart: in the ledgers, in
// Raft's log, in snapshots and in the backup. Folding writes a stretch that was there
// before as its place and length, from any distance, which gzip alone does not.

// foldBlock is the shortest stretch that is looked for.
const foldBlock = 64

// maxUnfolded bounds what a folded text may come to.
const maxUnfolded = 64 << 20

// fold returns runs of [length of what is new, what is new, place, length] with
// lengths and places as unsigned varints.
func fold(in []byte) (out []byte) {
	seen := map[string]int{} // by content, the first of the blocks that lie on a multiple of foldBlock
	fresh, indexed := 0, 0
	emit := func(end, place, length int) {
		out = binary.AppendUvarint(out, uint64(end-fresh))
		out = append(out, in[fresh:end]...)
		out = binary.AppendUvarint(out, uint64(place))
		out = binary.AppendUvarint(out, uint64(length))
		fresh = end + length
	}
	for at := 0; at+foldBlock <= len(in); {
		for ; indexed+foldBlock <= at; indexed += foldBlock {
			if key := string(in[indexed : indexed+foldBlock]); seen[key] == 0 {
				seen[key] = indexed + 1
			}
		}
		place := seen[string(in[at:at+foldBlock])] - 1
		if place < 0 {
			at++
			continue
		}
		length := foldBlock
		for at+length < len(in) && in[place+length] == in[at+length] {
			length++
		}
		emit(at, place, length)
		at += length
	}
	emit(len(in), 0, 0)
	return out
}

var errFolded = errors.New("not a folded text")

// unfold returns what was folded.
func unfold(in []byte) (out []byte, err error) {
	number := func() int {
		v, n := binary.Uvarint(in)
		if n <= 0 || v > maxUnfolded {
			err = errFolded
			return 0
		}
		in = in[n:]
		return int(v)
	}
	for len(in) > 0 && err == nil {
		fresh := number()
		if fresh > len(in) {
			return nil, errFolded
		}
		out, in = append(out, in[:fresh]...), in[fresh:]
		place, length := number(), number()
		if length > 0 && place >= len(out) || len(out)+length > maxUnfolded {
			return nil, errFolded
		}
		for i := range length { // it may run into what it makes
			out = append(out, out[place+i])
		}
	}
	return out, err
}

func TestWhatIsFoldedUnfolds(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("one stretch of text, and another one; "), 9)
	for name, in := range map[string][]byte{
		"nothing": {}, "short": []byte("short"), "zeros": make([]byte, 100_000), "twice": append(append(bytes.Clone(long), "between"...), long...),
	} {
		folded := fold(in)
		out, err := unfold(folded)
		if err != nil || !bytes.Equal(out, in) {
			t.Errorf("%s: %d bytes come back as %d, %v", name, len(in), len(out), err)
		}
		if len(in) > 1_000 && len(folded) > len(in)/100 {
			t.Errorf("%s: %d bytes fold to %d", name, len(in), len(folded))
		}
	}
	for name, in := range map[string][]byte{"a place beyond": {0, 9, 9}, "cut": {9, 1}, "no end": {0, 0}} {
		if _, err := unfold(in); !errors.Is(err, errFolded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
