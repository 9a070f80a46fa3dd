package founding_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/founding"
)

func invitation() *founding.Invitation {
	return &founding.Invitation{
		Network: [32]byte{1, 2}, Name: "example.org/rare", Secret: [16]byte{3}, Expiry: 1_790_000_000_000,
		Peers: []founding.InvitationPeer{
			{Node: "h1", TLS: [32]byte{4}, Addresses: []string{"h1.example:8470", "10.0.0.1:8470"}}, {Node: "h2", TLS: [32]byte{5}},
		},
	}
}

func TestATokenIsReadBack(t *testing.T) {
	want := invitation()
	got, err := founding.ParseToken(" " + want.Token() + "\n")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestATokenThatWasMistypedIsNone(t *testing.T) {
	token := invitation().Token()
	nobody := invitation()
	nobody.Peers = nil
	for at := range token {
		other := byte('A')
		if token[at] == other {
			other = 'B'
		}
		if _, err := founding.ParseToken(token[:at] + string(other) + token[at+1:]); !errors.Is(err, founding.ErrToken) {
			t.Fatalf("with another character at %d: %v", at, err)
		}
	}
	for name, bad := range map[string]string{
		"nothing": "", "its prefix": "rsjoin1-", "cut": token[:len(token)-1], "longer": token + "A", "another's": "sk-" + token,
		"endless": "rsjoin1-" + strings.Repeat("A", 5000), "without a node to ask": nobody.Token(),
	} {
		if _, err := founding.ParseToken(bad); !errors.Is(err, founding.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(invitation().Token())
	f.Fuzz(func(t *testing.T, token string) {
		i, err := founding.ParseToken(token)
		if err == nil && i.Token() != strings.TrimSpace(token) {
			t.Errorf("%q is read as %q", token, i.Token())
		}
	})
}
