package native_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/hosts/native"
	"github.com/nekton-go/nekton/runtime/hosttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for name, c := range map[string]native.Config{
		"UDP":     {Bind: "127.0.0.1:0"},
		"IPv6":    {Bind: "[::1]:0"},
		"TCPOnly": {Bind: "127.0.0.1:0", TCPOnly: true},
		"TLS":     {Bind: "127.0.0.1:0", TLS: mutualTLS(t)},
		"TLSOnly": {Bind: "127.0.0.1:0", TLS: mutualTLS(t), TCPOnly: true},
	} {
		t.Run(name, func(t *testing.T) {
			hosttest.Run(t, func(t *testing.T) hosttest.Host { return listen(t, c) })
		})
	}
	t.Run("Journal", func(t *testing.T) {
		hosttest.Run(t, func(t *testing.T) hosttest.Host {
			return listen(t, native.Config{Bind: "127.0.0.1:0", Journal: t.TempDir()})
		})
	})
}

func listen(t *testing.T, c native.Config) *native.Host {
	t.Helper()
	h, err := native.Listen(c)
	require.NoError(t, err)
	t.Cleanup(func() { h.Close() })
	return h
}

// TestLoadTLS: what it reads lets two hosts talk, and what is wrong is said.
func TestLoadTLS(t *testing.T) {
	c := mutualTLS(t)
	key, err := x509.MarshalPKCS8PrivateKey(c.Certificates[0].PrivateKey)
	require.NoError(t, err)
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		data := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	certFile := file("cert.pem", "CERTIFICATE", c.Certificates[0].Certificate[0])
	keyFile := file("key.pem", "PRIVATE KEY", key)
	loaded, err := native.LoadTLS(certFile, keyFile, certFile, "")
	require.NoError(t, err)
	a := listen(t, native.Config{Bind: "127.0.0.1:0", TLS: loaded})
	b := listen(t, native.Config{Bind: "127.0.0.1:0", TLS: c})
	a.Do(core.Effect{Kind: core.EffectDial, Link: 1, To: b.Addr()})
	require.Equal(t, core.Link(1), next(t, a, core.InputUp).Link)
	require.True(t, next(t, b, core.InputUp).Link.Accepted())
	b.Do(core.Effect{Kind: core.EffectDial, Link: 1, To: a.Addr()})
	require.Equal(t, core.Link(1), next(t, b, core.InputUp).Link)
	require.True(t, next(t, a, core.InputUp).Link.Accepted())
	_, err = native.LoadTLS(certFile, certFile, certFile, "")
	require.ErrorContains(t, err, certFile)
	_, err = native.LoadTLS(certFile, keyFile, filepath.Join(dir, "nothing"), "")
	require.ErrorContains(t, err, "authority")
	_, err = native.LoadTLS(certFile, keyFile, keyFile, "")
	require.ErrorContains(t, err, "no PEM certificate")
}

// mutualTLS is what LoadTLS makes, without the files: one certificate, signed by itself, for everybody.
func mutualTLS(t *testing.T) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "node"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs:      pool, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
}
