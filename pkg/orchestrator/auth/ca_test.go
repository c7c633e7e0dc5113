package auth

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func newTestCA(t *testing.T) *CA {
	t.Helper()
	ca, err := LoadOrCreateCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestCAIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	first, err := LoadOrCreateCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := LoadOrCreateCA(dir)
	if err != nil {
		t.Fatal(err)
	}
	if string(first.PEM()) != string(second.PEM()) {
		t.Error("a second start made another authority")
	}
	info, err := os.Stat(filepath.Join(dir, "ca.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's mode is %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestCABroken(t *testing.T) {
	for name, spoil := range map[string]func(cert, key string) error{
		"the key is missing": func(_, key string) error { return os.Remove(key) },
		"the key is garbage": func(_, key string) error { return os.WriteFile(key, []byte("x"), 0o600) },
		"the key of another": func(_, key string) error {
			_, other, err := newCA()
			if err != nil {
				return err
			}
			return os.WriteFile(key, other, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := LoadOrCreateCA(dir); err != nil {
				t.Fatal(err)
			}
			if err := spoil(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadOrCreateCA(dir); err == nil || !strings.Contains(err.Error(), "load certificate authority") {
				t.Errorf("got error %v", err)
			}
		})
	}
}

func TestServerCertificate(t *testing.T) {
	ca := newTestCA(t)
	cert, err := ca.Server("kube-apiserver", "localhost", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1")
	if err != nil {
		t.Fatal(err)
	}
	leaf := parseLeaf(t, cert)
	for _, name := range []string{"localhost", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1"} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: "example.com"}); err == nil {
		t.Error("the certificate holds for a name that was not asked for")
	}
}

func parseLeaf(t *testing.T, c Certificate) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode(c.CertPEM)
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestClientCertificates goes through real TLS: who is asked gets in, who is not gets an answer and not a broken line.
func TestClientCertificates(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	a := NewClientCertificates(ca)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := Chain(a).Authenticate(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, user.Name+" "+strings.Join(user.Groups, ","))
	}))
	cert, err := ca.Server("kube-apiserver", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if srv.TLS, err = ServerTLS(cert); err != nil {
		t.Fatal(err)
	}
	srv.StartTLS()
	defer srv.Close()
	client := func(from *CA, name string, groups ...string) *Certificate {
		c, err := from.Client(name, groups...)
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	server, err := ca.Server("system:node:x", "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cert *Certificate
		want string
	}{
		{"a user", client(ca, "kubernetes-admin", "system:masters"), "kubernetes-admin system:masters,system:authenticated"},
		{"without groups", client(ca, "jane"), "jane system:authenticated"},
		{"another authority's", client(other, "kubernetes-admin", "system:masters"), "unknown authority"},
		{"a server's", &server, "incompatible key usage"},
		{"without a name", client(ca, ""), "names no user"},
		{"none", nil, "no credentials"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := &tls.Config{RootCAs: ca.Pool()}
			if c.cert != nil {
				pair, err := c.cert.TLS()
				if err != nil {
					t.Fatal(err)
				}
				cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
			}
			transport := &http.Transport{TLSClientConfig: cfg}
			defer transport.CloseIdleConnections()
			for range 2 { // the second time from memory
				resp, err := (&http.Client{Transport: transport}).Get(srv.URL)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if ok := resp.StatusCode == http.StatusOK; !strings.Contains(string(body), c.want) || ok != strings.Contains(c.want, GroupAuthenticated) {
					t.Errorf("got %d %q, want %q", resp.StatusCode, body, c.want)
				}
			}
		})
	}
}

func TestExpiredCertificate(t *testing.T) {
	ca := newTestCA(t)
	cert, err := ca.Client("jane")
	if err != nil {
		t.Fatal(err)
	}
	a, leaf := NewClientCertificates(ca), parseLeaf(t, cert)
	r := &http.Request{TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}}
	user, err := a.Authenticate(r)
	if err != nil {
		t.Fatal(err)
	}
	if id := user.Extra[credentialID]; len(id) != 1 || !regexp.MustCompile("^X509SHA256=[0-9a-f]{64}$").MatchString(id[0]) {
		t.Errorf("the credential's id is %q", id)
	}
	for sum := range a.verified {
		if !a.verified[sum].Equal(leaf.NotAfter) {
			t.Errorf("remembered until %v, the certificate ends %v", a.verified[sum], leaf.NotAfter)
		}
		a.verified[sum] = time.Now().Add(-time.Second) // as if it had ended
	}
	leaf.NotAfter = time.Now().Add(-time.Second)
	if _, err := a.Authenticate(r); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired certificate got %v", err)
	}
}
