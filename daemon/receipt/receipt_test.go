package receipt

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// log is a source of receipts whose checkpoint nobody signed.
type log struct{ away error }

func (l log) Policy(context.Context) ([]byte, error) { return []byte("policy\n"), nil }

func (l log) Proof(_ context.Context, index uint64) ([]byte, error) {
	leaf := envelope.Leaf{Version: 1, Kind: 1, Hospital: 1, Sequence: 1, LogTime: 1_790_000_000_000, Commitment: [32]byte{0xab}}
	p := tlog.Proof{Extra: leaf.Append(nil), Index: index}
	p.Checkpoint.Checkpoint = tlog.Checkpoint{Origin: "example/network/1", Size: 40}
	p.Checkpoint.Signatures = []tlog.NoteSignature{{Name: "x", Blob: []byte("signature")}}
	return p.Marshal(), l.away
}

func TestReceiptsAreWrittenWithAPageAndThePolicy(t *testing.T) {
	files, order := map[string]string{}, []string{}
	put := func(name string, data []byte) error {
		files[name], order = string(data), append(order, name)
		return nil
	}
	entries := []Entry{{"名单<1>.csv", "case", 21}, {"名单<1>.csv", "genetics", 22}}
	if err := Write(t.Context(), log{}, "zh", entries, put); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "entry-21.tlog-proof entry-22.tlog-proof policy.txt receipts.html" {
		t.Errorf("written are %s", got)
	}
	for _, want := range []string{
		"本院 2 条记录已载入 example/network/1 的日志", "<td>名单&lt;1&gt;.csv</td><td>genetics</td><td>22</td><td>2026-09-21T14:13:20Z</td><td>40</td><td><code>ab00",
		"--policy policy.txt --proof entry-21.tlog-proof",
	} {
		if !strings.Contains(files[PageName], want) {
			t.Errorf("the page lacks %q:\n%s", want, files[PageName])
		}
	}
	if p, err := tlog.ParseProof([]byte(files["entry-22.tlog-proof"])); err != nil || p.Index != 22 {
		t.Errorf("the proof is of %d, %v", p.Index, err)
	}
}

func TestNoReceiptsAreNoFiles(t *testing.T) {
	put := func(string, []byte) error { return errors.New("written") }
	if err := Write(t.Context(), log{}, "en", nil, put); err != nil {
		t.Error(err)
	}
	away := errors.New("not yet")
	if err := Write(t.Context(), log{away}, "en", []Entry{{Index: 1}}, put); !errors.Is(err, away) || !strings.Contains(err.Error(), "entry 1") {
		t.Errorf("got %v", err)
	}
}
