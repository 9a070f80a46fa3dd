package logstore

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/hashicorp/raft"
)

// proving reports whether the full counts of the proof were asked for.
func proving() bool { return os.Getenv("PROVE") != "" }

// seeded returns a source of chances whose seed a failure can be repeated with.
func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// busyLog returns a log as a node leaves it: appended in many transactions,
// compacted, a suffix replaced.
func busyLog(t *testing.T) (path string, check func(s *Store) error) {
	t.Helper()
	path = logPath(t)
	s, _ := openLog(t, path, nil)
	for i := uint64(1); i <= 60; i += 3 {
		fill(t, s, i, i+2, 1)
	}
	s.SetApplied(40)
	s.SetSnapshot(30)
	if err := errors.Join(s.DeleteRange(1, 20), s.DeleteRange(58, 60)); err != nil {
		t.Fatal(err)
	}
	fill(t, s, 58, 59, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, func(s *Store) error {
		if first, _ := s.FirstIndex(); first != 21 {
			return errors.New("another first record")
		}
		if last, _ := s.LastIndex(); last != 59 {
			return errors.New("another last record")
		}
		for i := uint64(21); i <= 59; i++ {
			var l raft.Log
			want := record(i, 1+i/58)
			if err := s.GetLog(i, &l); err != nil || l.Term != want.Term || !bytes.Equal(l.Data, want.Data) {
				return errors.Join(errors.New("another record"), err)
			}
		}
		return nil
	}
}

// usedPart returns the pages of a bbolt file that are in use: it grows by 16 MiB
// at a time.
func usedPart(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	meta, err := newestMeta(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return raw[:meta.pages*uint64(meta.pageBytes)]
}

// TestNoFlippedBitOfTheLogLosesOrChangesARecord flips a bit anywhere in log.db,
// in what bbolt keeps there as well. Either the damage is seen before Raft
// would start, or every record is as it was.
func TestNoFlippedBitOfTheLogLosesOrChangesARecord(t *testing.T) {
	path, check := busyLog(t)
	good := usedPart(t, path)
	random := seeded(t)
	var places []int
	for at := range len(good) {
		if head := at%4096 < 200; proving() && random.IntN(8) == 0 || head && random.IntN(12) == 0 || random.IntN(3000) == 0 {
			places = append(places, at)
		}
	}
	seen := 0
	for _, at := range places {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << random.IntN(8)
		write(t, path, string(bad))
		s, err := Open(path, Options{Fatal: func(error) {}})
		if err == nil {
			if err = s.Check(21); err == nil {
				if wrong := check(s); wrong != nil {
					t.Errorf("byte %d of %d (page %d, byte %d in it): not seen: %v", at, len(good), at/4096, at%4096, wrong)
				}
			}
			s.Close()
		}
		if err != nil {
			seen++
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d: %v, want ErrDamaged", at, err)
			}
		}
	}
	t.Logf("%d flips: %d seen, %d harmless", len(places), seen, len(places)-seen)
}

func TestNoCutOfTheLogLosesARecord(t *testing.T) {
	path, check := busyLog(t)
	good := usedPart(t, path)
	for keep := 1; keep < len(good); keep += 3001 {
		write(t, path, string(good[:keep]))
		s, err := Open(path, Options{Fatal: func(error) {}})
		if err == nil {
			if err = errors.Join(s.Check(21)); err == nil {
				err = check(s)
			}
			s.Close()
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%d of %d bytes: %v, want ErrDamaged", keep, len(good), err)
		}
	}
}

// bbolt is content with one sound metadata page of two, and goes back by a
// transaction if it is the older one.
func TestADamagedMetadataPageDoesNotTakeTheLastRecordsWithIt(t *testing.T) {
	path, _ := busyLog(t)
	good := usedPart(t, path)
	for page := range 2 {
		for _, at := range []int{pageHeadBytes, pageHeadBytes + 48, pageHeadBytes + 60} {
			bad := bytes.Clone(good)
			bad[page*4096+at] ^= 2
			write(t, path, string(bad))
			s, err := Open(path, Options{Fatal: func(error) {}})
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("metadata page %d, byte %d: %v, want ErrDamaged", page, at, err)
			}
			if err == nil {
				s.Close()
			}
		}
	}
}
