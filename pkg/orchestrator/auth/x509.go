package auth

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// verifiedMost bounds how many certificates' verdicts are remembered; a cluster of one machine has few.
const verifiedMost = 256

// credentialID is the extra field by which upstream names the credential that was used.
const credentialID = "authentication.kubernetes.io/credential-id"

// ClientCertificates authenticates by certificates of one authority: the common name is the user, the organizations are
// the groups.
type ClientCertificates struct {
	roots *x509.CertPool

	mu       sync.Mutex
	verified map[[sha256.Size]byte]time.Time // until when a certificate is known to be good
}

// NewClientCertificates trusts the certificates that ca issued to clients.
func NewClientCertificates(ca *CA) *ClientCertificates {
	return &ClientCertificates{roots: ca.Pool(), verified: map[[sha256.Size]byte]time.Time{}}
}

// ServerTLS is the TLS configuration of a server: it asks for client certificates and leaves the verdict to the
// authenticator, so that a bad one is answered 401 and not cut off.
func ServerTLS(c Certificate) (*tls.Config, error) {
	pair, err := c.TLS()
	if err != nil {
		return nil, fmt.Errorf("load server certificate: %w", err)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		ClientAuth:   tls.RequestClientCert,
		NextProtos:   []string{"h2", "http/1.1"},
	}, nil
}

// Authenticate verifies the certificate of the request's connection, if it has one.
func (c *ClientCertificates) Authenticate(r *http.Request) (*User, error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil, nil
	}
	leaf := r.TLS.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	if err := c.verify(sum, r.TLS.PeerCertificates); err != nil {
		return nil, fmt.Errorf("verify client certificate of %q: %w", leaf.Subject.CommonName, err)
	}
	if leaf.Subject.CommonName == "" {
		return nil, errors.New("verify client certificate: it names no user")
	}
	groups := slices.Clone(leaf.Subject.Organization)
	if !slices.Contains(groups, GroupAuthenticated) {
		groups = append(groups, GroupAuthenticated)
	}
	return &User{
		Name: leaf.Subject.CommonName, Groups: groups,
		Extra: map[string][]string{credentialID: {"X509SHA256=" + hex.EncodeToString(sum[:])}},
	}, nil
}

func (c *ClientCertificates) verify(sum [sha256.Size]byte, chain []*x509.Certificate) error {
	now := time.Now()
	c.mu.Lock()
	until, known := c.verified[sum]
	c.mu.Unlock()
	if known && now.Before(until) {
		return nil
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return err
	}
	end := chain[0].NotAfter
	for _, cert := range chains[0] {
		if cert.NotAfter.Before(end) {
			end = cert.NotAfter
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.verified) >= verifiedMost {
		clear(c.verified)
	}
	c.verified[sum] = end
	return nil
}
