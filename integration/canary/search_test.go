package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// minted are markers of every sort that the mint makes.
func minted(seed uint64) []*Marker { return mintedBy(NewMint(seed)) }

func mintedBy(m *Mint) []*Marker {
	return []*Marker{
		{What: "a name", Value: m.Name()}, {What: "a phone", Value: m.Phone()}, {What: "a code", Value: "MRN-" + m.Code(12)},
		{What: "a long number", Value: "100000" + m.Digits(11) + "X"}, {What: "a text", Value: m.Words(3)}, {What: "a mixed name", Value: m.Name() + " " + m.Code(8)},
		{What: "a key", Value: keyOf(m)}, {What: "a whole code", Value: "HP:" + m.Digits(7), Whole: true},
	}
}

// keyOf returns 32 bytes that are no text.
func keyOf(m *Mint) string {
	key := []byte{0xff}
	for range 31 {
		key = append(key, byte(m.N(256)))
	}
	return string(key)
}

// noise is what markers hide in.
func noise(n int) []byte {
	m := NewMint(99)
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.N(256))
	}
	return b
}

// surrounded puts a text into noise, and into zeros, at each of eight alignments.
func surrounded(text []byte) [][]byte {
	var all [][]byte
	for shift := range 8 {
		all = append(all, slices.Concat(noise(4093 + shift)[shift:], text, noise(777)))
		all = append(all, slices.Concat(make([]byte, 4093+shift), text, make([]byte, 777)))
	}
	return all
}

func TestEveryFormIsFoundAnywhere(t *testing.T) {
	markers := minted(1)
	s := New(markers)
	for _, m := range markers {
		for _, f := range formsOf(m) {
			for shift, b := range surrounded(f.text) {
				hits := s.Bytes("here", b)
				i := slices.IndexFunc(hits, func(h Hit) bool { return h.Marker == m && h.Form == f.name })
				if i < 0 {
					t.Fatalf("%s %s, shifted by %d: not found", m.What, f.name, shift)
				}
				if h := hits[i]; h.Bytes < len(f.text) || !bytes.Contains(b[h.At:h.At+int64(h.Bytes)], f.text) {
					t.Errorf("%s %s: %d of %d bytes found at %d", m.What, f.name, h.Bytes, len(f.text), h.At)
				}
			}
		}
	}
}

// The encodings come from elsewhere than the forms.
func TestWhatOtherEncodersWriteIsFound(t *testing.T) {
	for _, m := range minted(2)[:6] { // texts
		s := New([]*Marker{m})
		quoted, err := json.Marshal("x" + m.Value + "y")
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]string{
			"JSON": string(quoted), "%q": fmt.Sprintf("%q", m.Value), "%x": fmt.Sprintf("%x", "ab"+m.Value), "% X in one": fmt.Sprintf("%X", m.Value),
			"%v": fmt.Sprint([]byte(m.Value)), "an array": fmt.Sprint(strings.Join(strings.Fields(fmt.Sprint([]byte(m.Value))), ",")),
			"a query": url.QueryEscape("name=" + m.Value), "hex dump": hex.EncodeToString([]byte("9" + m.Value)),
		}
		for shift := range 6 {
			text := strings.Repeat("-", shift) + m.Value + "."
			said[fmt.Sprint("base64 after ", shift)] = base64.StdEncoding.EncodeToString([]byte(text))
			said[fmt.Sprint("raw base64url after ", shift)] = base64.RawURLEncoding.EncodeToString([]byte(text))
		}
		for how, text := range said {
			if len(s.Bytes("", []byte(text))) == 0 {
				t.Errorf("%s %q as %s: not found in %q", m.What, m.Value, how, text)
			}
		}
	}
}

func TestPiecesAreFoundAndNothingShorter(t *testing.T) {
	for _, m := range minted(3) {
		s := New([]*Marker{m})
		for _, f := range formsOf(m) {
			for at := 0; at+f.least <= len(f.text); at++ {
				if len(s.Bytes("", slices.Concat([]byte("~~"), f.text[at:at+f.least], []byte("~~")))) == 0 {
					t.Fatalf("%s %s: the %d bytes from %d are not found", m.What, f.name, f.least, at)
				}
			}
			short := slices.Concat([]byte("\x01"), f.text[:f.least-1], []byte("\x01"))
			for _, h := range s.Bytes("", short) {
				if h.Form == f.name {
					t.Errorf("%s %s: %d bytes are taken for it", m.What, f.name, f.least-1)
				}
			}
		}
	}
}

func TestNothingIsFoundInNoiseAndInOtherPersonsData(t *testing.T) {
	mint := NewMint(4)
	s := New(mintedBy(mint))
	if hits := s.Bytes("noise", noise(4<<20)); len(hits) > 0 {
		t.Errorf("in noise: %v", hits)
	}
	for range 30 {
		for _, m := range mintedBy(mint) {
			for _, f := range formsOf(m) {
				if hits := s.Bytes("another's", f.text); len(hits) > 0 {
					t.Errorf("%s of another person: %v", m.What, hits)
				}
			}
		}
	}
}

func TestWhatLiesAcrossTwoChunksIsFoundOnce(t *testing.T) {
	m := minted(6)[0]
	s := New([]*Marker{m})
	for _, at := range []int{s.longest + chunkBytes - 5, 2*chunkBytes + s.longest - 1, 3*chunkBytes + s.longest - len(m.Value), 0} {
		b := noise(4*chunkBytes + 100)
		copy(b[at:], m.Value)
		hits, searched, err := s.Reader("a file", bytes.NewReader(b))
		if err != nil || searched != int64(len(b)) || len(hits) != 1 || hits[0].At != int64(at) || hits[0].Bytes != len(m.Value) {
			t.Errorf("at %d: %v in %d bytes, %v", at, hits, searched, err)
		}
	}
}

func TestFilesTheirNamesAndLinksAreSearched(t *testing.T) {
	m := minted(7)
	s, dir := New(m), t.TempDir()
	where := map[string]string{} // by marker
	put := func(i int, name, text string) {
		path := filepath.Join(dir, name)
		if err := errorsOf(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		where[m[i].What] = path
	}
	put(0, "a/b/log", "level=INFO name="+m[0].Value)
	put(1, "a/"+m[1].Value+".tmp", "")
	where[m[1].What] = "the name of " + where[m[1].What]
	put(5, "clean", "nothing at all")
	if err := os.Symlink(m[2].Value, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	where[m[2].What] = "the link " + filepath.Join(dir, "link")
	delete(where, m[5].What)
	hits, searched, err := s.Files(dir)
	if err != nil || searched == 0 {
		t.Fatalf("%d bytes, %v", searched, err)
	}
	for _, h := range hits {
		if where[h.Marker.What] != h.Where {
			t.Errorf("found %v, want it in %q", h, where[h.Marker.What])
		}
		delete(where, h.Marker.What)
	}
	if len(where) > 0 {
		t.Errorf("not found: %v", where)
	}
	if _, _, err := s.Files(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there was searched")
	}
}

func errorsOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestGB18030IsThatOfAnotherImplementation asks Python's codec.
func TestGB18030IsThatOfAnotherImplementation(t *testing.T) {
	text := string(nameRunes) + " MRN-7"
	cmd := exec.Command("python3", "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read().decode('utf-8').encode('gb18030'))")
	cmd.Stdin = strings.NewReader(text)
	want, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	if got, ok := GB18030(text); !ok || !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if _, ok := GB18030("é"); ok {
		t.Error("a character beyond the table was encoded")
	}
}

// What a program says lies side by side in it, in any order: a piece of a name may
// come about so.
func TestNamesAreApartFromWhatTheProgramSays(t *testing.T) {
	name := NewMint(5).Name()
	runes := []rune(name)
	slices.Reverse(runes)
	for what, said := range map[string]string{"as it is": name[3:12], "backwards": string(runes)[3:12]} {
		m := NewMint(5)
		m.Avoid([]byte("code\x00\x80 过" + said + "本\x01 short 中文"))
		for range 20 {
			if other := m.Name(); other == name || m.isSaid(other) {
				t.Errorf("%s has a piece that the program says %s", other, what)
			}
		}
	}
}
