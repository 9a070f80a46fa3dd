package space

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

const mib = 1 << 20

// A disk is one that a test fills. Its free space counts the reserve if the
// file is there.
type disk struct {
	dir         string
	total, used uint64
	broken      error
}

func (d *disk) probe() (free, total uint64, err error) {
	used := d.used
	if info, err := os.Stat(filepath.Join(d.dir, reserveFile)); err == nil {
		used += uint64(info.Size())
	}
	return d.total - min(d.total, used), d.total, d.broken
}

func newDisk(t *testing.T, total uint64) *disk { return &disk{dir: t.TempDir(), total: total} }

func (d *disk) watch(low, reserve uint64) *Watch {
	return New(Config{Dir: d.dir, Probe: d.probe, LowBytes: low, ReserveBytes: reserve})
}

func (d *disk) hasReserve() bool {
	_, err := os.Stat(filepath.Join(d.dir, reserveFile))
	return err == nil
}

func TestLevelsBeginAtAShareOfTheDiskAndAtMostAtASize(t *testing.T) {
	const gib = 1 << 30
	for name, tc := range map[string]struct {
		total, free, low uint64
		want             Level
	}{
		"a small disk with room":                   {100 * gib, 15 * gib, 0, Ample},
		"a small disk below 15 %":                  {100 * gib, 15*gib - 1, 0, Low},
		"a small disk below 10 %":                  {100 * gib, 10*gib - 1, 0, Scarce},
		"a small disk below 5 %":                   {100 * gib, 5*gib - 1, 0, Short},
		"a small disk below 1 %":                   {100 * gib, gib - 1, 0, Full},
		"a large disk below 15 %":                  {10000 * gib, 1000 * gib, 0, Ample},
		"a large disk below 20 GiB":                {10000 * gib, 20*gib - 1, 0, Low},
		"a large disk below 10 GiB":                {10000 * gib, 10*gib - 1, 0, Scarce},
		"a large disk below 5 GiB":                 {10000 * gib, 5*gib - 1, 0, Short},
		"a large disk below 1 GiB":                 {10000 * gib, gib - 1, 0, Full},
		"nothing left":                             {100 * gib, 0, 0, Full},
		"an operator who wants to be told earlier": {100 * gib, 39 * gib, 40 * gib, Low},
		"an operator who wants to be told later":   {100 * gib, 10 * gib, 2 * gib, Ample},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t, tc.total)
			d.used = tc.total - tc.free
			got, err := d.watch(tc.low, 0).Tend()
			if err != nil || got != tc.want {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestALevelIsLeftOnlyAFifthAboveItsBeginning(t *testing.T) {
	d := newDisk(t, 1000*mib)
	w := d.watch(0, 0)
	for _, step := range []struct {
		freeMiB uint64
		want    Level
	}{
		{151, Ample}, {149, Low}, {151, Low}, {179, Low}, {180, Ample}, // 15 % and a fifth of that
		{99, Scarce}, {119, Scarce}, {120, Low}, {99, Scarce},
		{49, Short}, {59, Short}, {61, Scarce}, {9, Full}, {11, Full}, {12, Short}, {999, Ample},
	} {
		d.used = d.total - step.freeMiB*mib
		if got, err := w.Tend(); err != nil || got != step.want {
			t.Fatalf("at %d MiB free: %v, %v; want %v", step.freeMiB, got, err, step.want)
		}
	}
}

func TestTheReserveIsGivenUpWhenTheDiskIsFullAndMadeAgain(t *testing.T) {
	d := newDisk(t, 1000*mib)
	w := d.watch(0, 4*mib)
	for _, step := range []struct {
		what    string
		usedMiB uint64
		want    Level
		held    bool
	}{
		{"with room", 0, Ample, true},
		{"short of room", 960, Short, true},
		{"full", 990, Full, false},
		{"full, though the reserve's blocks are free now", 990, Full, false},
		{"nothing at all", 1000, Full, false},
		{"as much as the reserve and the edge", 985, Full, false},
		{"beyond the edge", 983, Short, true},
		{"room again", 100, Ample, true},
	} {
		d.used = step.usedMiB * mib
		got, err := w.Tend()
		if err != nil || got != step.want || d.hasReserve() != step.held {
			t.Fatalf("%s: %v, reserve %v, %v; want %v, %v", step.what, got, d.hasReserve(), err, step.want, step.held)
		}
	}
}

func TestTheReserveOfAnEarlierRunIsTakenOverIfItIsWhole(t *testing.T) {
	d := newDisk(t, 1000*mib)
	if err := os.WriteFile(filepath.Join(d.dir, reserveFile), make([]byte, mib), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.watch(0, 4*mib).Tend(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(d.dir, reserveFile))
	if err != nil || info.Size() != 4*mib {
		t.Fatalf("a piece of a reserve was kept: %v, %v", info, err)
	}
	again := d.watch(0, 4*mib)
	if _, free, _ := again.Last(); free != 0 {
		t.Errorf("%d bytes free before the first look", free)
	}
	if level, err := again.Tend(); err != nil || level != Ample {
		t.Errorf("taken over: %v, %v", level, err)
	}
}

func TestALookBeforeAWriteMakesNoReserve(t *testing.T) {
	d := newDisk(t, 1000*mib)
	w := d.watch(0, 4*mib)
	if level, err := w.Look(0); err != nil || level != Ample || d.hasReserve() {
		t.Errorf("got %v, %v, a reserve: %v", level, err, d.hasReserve())
	}
}

func TestAWriteThatWouldFillTheDiskIsCountedAsIfItHad(t *testing.T) {
	d := newDisk(t, 1000*mib)
	w := d.watch(0, 0)
	d.used = 980 * mib
	if level, err := w.Look(5 * mib); err != nil || level != Short {
		t.Errorf("5 MiB of 20: %v, %v", level, err)
	}
	if level, err := w.Look(11 * mib); err != nil || level != Full {
		t.Errorf("11 MiB of 20: %v, %v", level, err)
	}
	if level, _, _ := w.Last(); level != Short {
		t.Errorf("asking changed the level to %v", level)
	}
}

func TestADiskThatDoesNotAnswerKeepsItsLevel(t *testing.T) {
	d := newDisk(t, 1000*mib)
	w := d.watch(0, 0)
	d.used = 920 * mib
	if _, err := w.Tend(); err != nil {
		t.Fatal(err)
	}
	d.broken = errors.New("input/output error")
	if level, err := w.Tend(); !errors.Is(err, d.broken) || level != Scarce {
		t.Errorf("got %v, %v; want %v and the disk's error", level, err, Scarce)
	}
}

func TestTheReserveIsReallyAllocated(t *testing.T) {
	dir := t.TempDir()
	before, total, err := Disk(dir)()
	if err != nil || total == 0 {
		t.Fatalf("this disk: %d bytes, %v", total, err)
	}
	r := openReserve(dir, 8*mib)
	if err := r.hold(); err != nil {
		t.Fatal(err)
	}
	if blocks := blocksOf(t, r.path); blocks < 8*mib {
		t.Errorf("the reserve has %d bytes of blocks, want 8 MiB (%d were free)", blocks, before)
	}
	if err := errors.Join(r.release(), r.release()); err != nil || r.missing() != 8*mib {
		t.Errorf("given up: %v, %d bytes missing", err, r.missing())
	}
}
