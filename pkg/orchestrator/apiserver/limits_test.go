package apiserver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// gate is an admission plugin that holds, or breaks on, certain names.
type gate struct {
	reached chan struct{}
	open    chan struct{}
}

func (gate) Name() string { return "Gate" }

func (g gate) Admit(_ context.Context, r *admission.Request) error {
	switch r.Name {
	case "held":
		g.reached <- struct{}{}
		<-g.open
	case "broken":
		panic("broken plugin")
	}
	return nil
}

func TestAFloodIsRefusedAndABurstWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate{make(chan struct{}), make(chan struct{})}
		c := clustertest.With(t, func(c *apiserver.Config) {
			c.MaxWrites = 1
			c.Admission = append(c.Admission, g)
		})
		r := newRaw(t, c)
		const maps = "/api/v1/namespaces/default/configmaps"
		codes := make(chan int)
		go func() { codes <- r.do(http.MethodPost, maps, `{"metadata":{"name":"held"}}`).code }()
		<-g.reached
		refused := r.do(http.MethodPost, maps, `{"metadata":{"name":"a"}}`)
		if refused.code != http.StatusTooManyRequests || refused.header.Get("Retry-After") != "1" {
			t.Errorf("with all places taken for long: %d, retry after %q", refused.code, refused.header.Get("Retry-After"))
		}
		if got := r.do(http.MethodGet, maps, ""); got.code != http.StatusOK {
			t.Errorf("a read beside it: %d", got.code)
		}
		go func() { codes <- r.do(http.MethodPost, maps, `{"metadata":{"name":"b"}}`).code }()
		synctest.Wait()
		close(g.open)
		for range 2 {
			if code := <-codes; code != http.StatusCreated {
				t.Errorf("held or waiting: %d", code)
			}
		}
	})
}

func TestAPanicIsA500(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.With(t, func(c *apiserver.Config) { c.Admission = append(c.Admission, gate{}) })
		r := newRaw(t, c)
		got := r.do(http.MethodPost, "/api/v1/namespaces/default/configmaps", `{"metadata":{"name":"broken"}}`)
		if got.code != http.StatusInternalServerError || !strings.Contains(got.body, `"reason":"InternalError"`) {
			t.Errorf("got %d %s", got.code, got.body)
		}
		if got := r.do(http.MethodGet, "/healthz", ""); got.body != "ok" {
			t.Errorf("afterwards: %d %s", got.code, got.body)
		}
	})
}

// TestTLS serves on a real socket of the loopback, with HTTP/2 and client certificates.
func TestTLS(t *testing.T) {
	ca, err := auth.LoadOrCreateCA(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	serving, err := ca.Server("skiff", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := serving.TLS()
	if err != nil {
		t.Fatal(err)
	}
	c := clustertest.With(t, func(c *apiserver.Config) { c.Authenticator = byCertificate{} })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		ended <- c.Server.Serve(tls.NewListener(l, &tls.Config{
			Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"},
			ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: ca.Pool(),
		}))
	}()
	get := func(certs ...tls.Certificate) (string, int, string) {
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), Certificates: certs}}
		defer transport.CloseIdleConnections()
		client := http.Client{Transport: transport}
		resp, err := client.Get("https://" + l.Addr().String() + "/api/v1/namespaces/default")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.Proto, resp.StatusCode, string(body)
	}
	if _, code, body := get(); code != http.StatusUnauthorized || !strings.Contains(body, `"message":"Unauthorized","reason":"Unauthorized"`) {
		t.Errorf("without a certificate: %d %s", code, body)
	}
	issued, err := ca.Client("jane")
	if err != nil {
		t.Fatal(err)
	}
	client, err := issued.TLS()
	if err != nil {
		t.Fatal(err)
	}
	if proto, code, body := get(client); proto != "HTTP/2.0" || code != http.StatusOK || !strings.Contains(body, `"name":"default"`) {
		t.Errorf("with a certificate: %s %d %s", proto, code, body)
	}
	if err := c.Server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != http.ErrServerClosed {
		t.Errorf("serve ended with %v", err)
	}
}

// byCertificate takes the name of a verified client certificate.
type byCertificate struct{}

func (byCertificate) Authenticate(r *http.Request) (*auth.User, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return nil, auth.ErrUnauthenticated
	}
	return userOf(r.TLS.VerifiedChains[0][0]), nil
}

func userOf(c *x509.Certificate) *auth.User { return &auth.User{Name: c.Subject.CommonName} }
