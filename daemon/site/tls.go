package site

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
)

const (
	madeFor   = 5 * 365 * 24 * time.Hour // of a certificate that the node makes
	madeAgain = 30 * 24 * time.Hour      // before it ends
	lookEvery = 10 * time.Second         // at the institution's certificate
)

// TLS returns how a site of that name is served, with the institution's certificate
// or, with no files, one that the node makes itself and keeps in its data directory;
// and the SHA-256 fingerprint of the certificate.
func TLS(dataDir, site, cert, key, listen string, now func() time.Time) (*tls.Config, string, error) {
	if cert == "" {
		var err error
		if cert, key, err = ownCertificate(filepath.Join(dataDir, site), listen, now()); err != nil {
			return nil, "", fmt.Errorf("%s: make a certificate: %w", site, err)
		}
	}
	p := &pair{cert: cert, key: key, now: now}
	loaded, err := p.get(nil)
	if err != nil {
		return nil, "", fmt.Errorf("%[1]s.cert, %[1]s.key: %[2]w", site, err)
	}
	sum := sha256.Sum256(loaded.Certificate[0])
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.get}, fmt.Sprintf("%X", sum), nil
}

// pair is a certificate that is read again when its file changes.
type pair struct {
	cert, key string
	now       func() time.Time

	mu     sync.Mutex // guards what follows
	looked time.Time
	mod    time.Time
	loaded *tls.Certificate
}

// get returns the certificate; one that cannot be read leaves the former in use.
func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loaded != nil && p.now().Sub(p.looked) < lookEvery {
		return p.loaded, nil
	}
	p.looked = p.now()
	info, err := os.Stat(p.cert)
	if err == nil && p.loaded != nil && info.ModTime().Equal(p.mod) {
		return p.loaded, nil
	}
	var loaded tls.Certificate
	if err == nil {
		loaded, err = tls.LoadX509KeyPair(p.cert, p.key)
	}
	switch {
	case err == nil:
		p.loaded, p.mod = &loaded, info.ModTime()
	case p.loaded == nil:
		return nil, err
	}
	return p.loaded, nil
}

// ownCertificate returns the files of the node's own certificate, made now if there
// is none or it ends soon.
func ownCertificate(dir, listen string, now time.Time) (cert, key string, err error) {
	cert, key = filepath.Join(dir, filepath.Base(dir)+".crt"), filepath.Join(dir, filepath.Base(dir)+".key")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err == nil && pair.Leaf != nil && now.Add(madeAgain).Before(pair.Leaf.NotAfter) {
		return cert, key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", "", err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return "", "", err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "raresync"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(madeFor),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name, err := os.Hostname(); err == nil && name != "localhost" {
		t.DNSNames = append(t.DNSNames, name)
	}
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
		if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if ip == nil {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, private.Public(), private)
	if err != nil {
		return "", "", err
	}
	seed, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	// The key goes first: a certificate without its key would be made anew.
	if err := writePrivate(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: seed})); err != nil {
		return "", "", err
	}
	return cert, key, writePrivate(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// writePrivate puts a file in place whole, for its owner alone.
func writePrivate(path string, data []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return ledger.SyncDir(filepath.Dir(path))
}
