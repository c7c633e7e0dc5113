package apiserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

// send makes a request by the transport of the process's own clients.
func send(t *testing.T, c *clustertest.Cluster, ctx context.Context, method, path, body string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://skiff"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return c.Config(auth.Admin()).Transport.RoundTrip(r)
}

func TestDirectAnswers(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		for _, test := range []struct {
			method, path, body string
			code               int
			want               string
		}{
			{"GET", "/api/v1/namespaces/default", "", 200, `"name":"default"`},
			{"GET", "/api/v1/namespaces/none", "", 404, `namespaces \"none\" not found`},
			{"POST", "/api/v1/namespaces", `{"metadata":{"name":"new"}}`, 201, `"name":"new"`},
			{"GET", "/nothing", "", 404, "404 page not found"},
		} {
			resp, err := send(t, c, c.Context(), test.method, test.path, test.body)
			if err != nil {
				t.Fatalf("%s %s: %v", test.method, test.path, err)
			}
			data, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != test.code || !strings.Contains(string(data), test.want) || resp.ContentLength != int64(len(data)) {
				t.Errorf("%s %s: %s, %d bytes, %v: %s; want %d and %s", test.method, test.path, resp.Status, resp.ContentLength, err, data, test.code, test.want)
			}
		}
	})
}

// A caller that has given up hears of that, as from a connection.
func TestDirectGivesUp(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		ctx, cancel := context.WithCancel(c.Context())
		cancel()
		for _, path := range []string{"/api/v1/pods", "/api/v1/pods?watch=1"} {
			if _, err := send(t, c, ctx, "GET", path, ""); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}

// The bubble would not end if closing an answer left the watch running.
func TestDirectWatchEnds(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		resp, err := send(t, c, context.Background(), "GET", "/api/v1/namespaces?watch=1&resourceVersion=0", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
			t.Errorf("read an event: %v", err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

func TestDirectShutdown(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, c *clustertest.Cluster) {
		resp, err := send(t, c, context.Background(), "GET", "/api/v1/pods?watch=1", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Server.Shutdown(c.Context()); err != nil {
			t.Errorf("shut down: %v", err)
		}
		synctest.Wait()
		if _, err := io.ReadAll(resp.Body); err != nil {
			t.Errorf("the watch under way: %v", err)
		}
		if _, err := send(t, c, c.Context(), "GET", "/api/v1/pods", ""); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a request after the end: %v", err)
		}
	})
}

// One request and its answer between a client of the process and the server.
func BenchmarkDirect(b *testing.B) {
	c := clustertest.New(b)
	client := c.Client().CoreV1().RESTClient()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.Get().AbsPath("/api/v1/namespaces/default").DoRaw(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}
