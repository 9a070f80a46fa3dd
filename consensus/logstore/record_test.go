package logstore

import (
	"reflect"
	"testing"

	"github.com/hashicorp/raft"
)

func FuzzAStoredRecordReadsAsItWasAndNothingElseDoes(f *testing.F) {
	f.Add(uint64(7), uint64(2), uint8(0), []byte("sealed"), []byte{}, uint32(0), uint16(3))
	f.Add(uint64(1<<40), uint64(0), uint8(0xfe), []byte{}, []byte("codec 1"), uint32(99), uint16(1))
	f.Fuzz(func(t *testing.T, index, term uint64, kind uint8, data, extensions []byte, prev uint32, flip uint16) {
		given := &raft.Log{Index: index, Term: term, Type: raft.LogType(kind), Data: data, Extensions: extensions}
		stored, value := chained(given, prev)
		read := *stored
		k, err := unchain(&read, index)
		if err != nil || k != (link{prev, value}) {
			t.Fatalf("got %+v, %v", k, err)
		}
		if len(extensions) == 0 {
			given.Extensions = nil
		}
		if !reflect.DeepEqual(&read, given) {
			t.Fatalf("got %+v, want %+v", read, *given)
		}
		bad := *stored
		bad.Extensions = append([]byte(nil), stored.Extensions...)
		bad.Extensions[int(flip)%len(bad.Extensions)] ^= 1
		if _, err := unchain(&bad, index); err == nil {
			t.Fatal("a flipped bit in the trailer is not seen")
		}
		if _, err := unchain(&raft.Log{Index: index, Extensions: extensions}, index+1); err == nil {
			t.Fatal("a record without a checksum is accepted at another index")
		}
	})
}
