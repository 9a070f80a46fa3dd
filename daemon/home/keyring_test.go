package home

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// everyKey chooses all keys that a rotation can change.
var everyKey = Choice{Envelope: true, Request: true, Response: true, TLS: true, Sealing: true}

func loaded(t *testing.T, cfg config.Config) *Keys {
	t.Helper()
	k, _, err := LoadKeys(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ring returns a keyring of the key file as it is on disk.
func ring(t *testing.T, cfg config.Config) *Keyring { return OpenKeyring(cfg, loaded(t, cfg)) }

func (r *Keyring) generated(t *testing.T, c Choice) *Keyring {
	t.Helper()
	if err := r.Generate(c); err != nil {
		t.Fatal(err)
	}
	return r
}

// nextInForce is what the log says once the rotation is in it.
func nextInForce(k *Keys) InForce {
	return InForce{
		Envelope: k.Next.Envelope.Public().ID(), Request: k.Next.Request.Public().ID(), Response: k.Next.Response.Public().ID(),
		TLS: k.Next.TLS.Public().ID(), Sealing: k.Next.Sealing.Public().ID(),
	}
}

func settle(t *testing.T, r *Keyring, f InForce, want bool) {
	t.Helper()
	if changed, err := r.Settle(f); err != nil || changed != want {
		t.Fatalf("settle: changed %t, %v; want %t", changed, err, want)
	}
}

// TestARotationOutlivesACrashAfterEachStep loads the key file anew after every
// step, as a node does that was killed there.
func TestARotationOutlivesACrashAfterEachStep(t *testing.T) {
	cfg := newHome(t)
	before := loaded(t, cfg)
	ring(t, cfg).generated(t, everyKey)
	next := loaded(t, cfg)
	if !next.Next.Any() || next.Envelope.Public().ID() != before.Envelope.Public().ID() {
		t.Fatal("after making next keys they are not there, or the present ones went")
	}
	ring(t, cfg).generated(t, everyKey)
	if loaded(t, cfg).Next.Envelope.Public().ID() != next.Next.Envelope.Public().ID() {
		t.Error("next keys that may be on their way were made anew")
	}
	if err := ring(t, cfg).Posting([]byte("the act")); err != nil {
		t.Fatal(err)
	}
	posted := ring(t, cfg)
	if got := posted.Keys().Next.Rotation; string(got) != "the act" {
		t.Errorf("the act to post again is %q", got)
	}
	if err := posted.Generate(everyKey); !errors.Is(err, ErrKeyring) {
		t.Errorf("more next keys while a rotation is under way: %v, want ErrKeyring", err)
	}
	old := before.Envelope.Public().ID()
	if posted.Sign(sign.PurposeEnvelope, old).Public().ID() != old {
		t.Error("before the rotation is in force another key than the present one signs")
	}
	f := nextInForce(next)
	if posted.Sign(sign.PurposeEnvelope, f.Envelope).Public().ID() != f.Envelope {
		t.Error("once the rotation is in force another key than the next one signs")
	}
	settle(t, posted, f, true)
	after := loaded(t, cfg)
	switch {
	case after.Next.Any() || after.Next.Rotation != nil:
		t.Error("there are next keys after the rotation")
	case after.Envelope.Public().ID() != f.Envelope || after.TLS.Public().ID() != f.TLS || after.Sealing.Public().ID() != f.Sealing ||
		after.Request.Public().ID() != f.Request || after.Response.Public().ID() != f.Response:
		t.Error("the present keys are not those that were next")
	case len(after.Former) != 1 || after.Former[0].Public().ID() != before.Sealing.Public().ID():
		t.Error("the former sealing key is not there to open old entries")
	case !after.Rotated || after.FormerTLS.Public().ID() != before.TLS.Public().ID():
		t.Error("the former TLS key is not there for peers that do not know the new one")
	case after.Holds(old):
		t.Error("the former envelope key is still in the file")
	case after.EntryID != before.EntryID || after.Log.Public().ID() != before.Log.Public().ID():
		t.Error("a rotation changed other keys")
	}
	settle(t, ring(t, cfg), f, false)
}

func TestOnlyWhatIsInForceBecomesPresent(t *testing.T) {
	cfg := newHome(t)
	r := ring(t, cfg).generated(t, everyKey)
	k := r.Keys()
	f := nextInForce(k)
	f.Envelope, f.Sealing = k.Envelope.Public().ID(), k.Sealing.Public().ID()
	settle(t, r, f, true)
	after := loaded(t, cfg)
	if after.Envelope.Public().ID() != k.Envelope.Public().ID() || after.Next.Envelope == nil || after.Next.Sealing == nil {
		t.Error("a key that the log does not have in force became present")
	}
	if after.Request.Public().ID() != k.Next.Request.Public().ID() || after.Next.Request != nil || len(after.Former) != 0 {
		t.Error("a key that the log has in force is not present")
	}
	if n := len(r.Sealing()); n != 2 {
		t.Errorf("%d sealing keys open entries, want the present and the next", n)
	}
}

func TestARefusedRotationMayBePostedAnew(t *testing.T) {
	cfg := newHome(t)
	r := ring(t, cfg).generated(t, Choice{Request: true})
	if err := errors.Join(r.Posting([]byte("the act")), r.Refused()); err != nil {
		t.Fatal(err)
	}
	if k := loaded(t, cfg); k.Next.Rotation != nil || k.Next.Request == nil || k.Next.Envelope != nil {
		t.Error("the act is still there, or the next key is gone, or another was made")
	}
}

// TestAShareAndARotationSavedAtOnceAreBothThere has the two writers of the key
// file write at the same time.
func TestAShareAndARotationSavedAtOnceAreBothThere(t *testing.T) {
	cfg := newHome(t)
	k := loaded(t, cfg)
	share := foundingtest.New(t, 3).Hospitals[0].Share
	var wg sync.WaitGroup
	var failed [2]error
	wg.Go(func() { failed[0] = OpenShares(cfg, k).Save(Shares{Current: &share}) })
	wg.Go(func() { failed[1] = OpenKeyring(cfg, k).Generate(everyKey) })
	wg.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		t.Fatal(err)
	}
	if after := loaded(t, cfg); after.Shares.Current == nil || !after.Next.Any() {
		t.Errorf("share there: %t, next keys there: %t", after.Shares.Current != nil, after.Next.Any())
	}
}

// TestRefusedKeyFilesStayAsTheyAre has every writer meet a key file that it must
// not touch.
func TestRefusedKeyFilesStayAsTheyAre(t *testing.T) {
	other, err := keyfile.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	seal := func(c config.Config, change func(*keyfile.Bundle) error) error {
		b, key, err := openBundle(c)
		if err != nil {
			return err
		}
		if err := change(b); err != nil {
			return err
		}
		file, err := keyfile.Seal(b, key)
		if err != nil {
			return err
		}
		return os.WriteFile(c.Keys.File, file, 0o600)
	}
	wrongPurpose := func(name string, p sign.Purpose) func(config.Config) error {
		return func(c config.Config) error {
			return seal(c, func(b *keyfile.Bundle) error {
				k, err := sign.Generate(p)
				return errors.Join(err, b.PutSign(name, k))
			})
		}
	}
	for name, tc := range map[string]struct {
		spoil func(config.Config) error
		want  string
	}{
		"damaged": {func(c config.Config) error {
			raw, err := os.ReadFile(c.Keys.File)
			raw[len(raw)-1] ^= 1
			return errors.Join(err, os.WriteFile(c.Keys.File, raw, 0o600))
		}, keyfile.ErrDamaged.Error()},
		"shortened":        {func(c config.Config) error { return os.Truncate(c.Keys.File, 4000) }, keyfile.ErrDamaged.Error()},
		"open to everyone": {func(c config.Config) error { return os.Chmod(c.Keys.File, 0o644) }, "set it to 0600"},
		"sealed under another key": {func(c config.Config) error {
			return os.WriteFile(c.Keys.Key, []byte(other.Text()), 0o600)
		}, keyfile.ErrWrongKey.Error()},
		"with a TLS key as envelope key":     {wrongPurpose("envelope", sign.PurposeTLS), "key envelope is a key for tls"},
		"with a log key as next request key": {wrongPurpose("next.request", sign.PurposeLog), "key next.request is a key for log"},
		"with a log key as former TLS key":   {wrongPurpose("former-tls", sign.PurposeLog), "former-tls: is a key for log"},
		"with a former key of another's name": {func(c config.Config) error {
			return seal(c, func(b *keyfile.Bundle) error { return b.PutSeed("former.0011", bytes.Repeat([]byte{1}, 32)) })
		}, "another key than its name says"},
		"with a next sealing key too short": {func(c config.Config) error {
			return seal(c, func(b *keyfile.Bundle) error { return b.PutSeed("next.sealing", []byte{1}) })
		}, "has 1 bytes, want 32"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := newHome(t)
			k := loaded(t, cfg)
			if err := tc.spoil(cfg); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(cfg.Keys.File)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := LoadKeys(cfg); !errors.Is(err, ErrKeys) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("load: %v, want one that says %q", err, tc.want)
			}
			if err := Reseal(cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("reseal: %v, want one that says %q", err, tc.want)
			}
			if !strings.HasPrefix(name, "with ") { // else the file opens, and its writer has loaded it before
				if err := OpenKeyring(cfg, k).Generate(everyKey); !errors.Is(err, ErrKeys) || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("generate: %v, want one that says %q", err, tc.want)
				}
			}
			if after, err := os.ReadFile(cfg.Keys.File); err != nil || !bytes.Equal(after, before) {
				t.Errorf("the file changed (%v)", err)
			}
		})
	}
}

func TestAKeyFileOfRandomBytesIsRefused(t *testing.T) {
	cfg := newHome(t)
	noise := make([]byte, 5000)
	rand.Read(noise)
	if err := os.WriteFile(cfg.Keys.File, noise, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := LoadKeys(cfg); !errors.Is(err, keyfile.ErrDamaged) {
		t.Errorf("load: %v, want ErrDamaged", err)
	}
}
