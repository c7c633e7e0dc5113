package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/exec"
)

func TestExitCode(t *testing.T) {
	code, failed := ExitCode(exec.CodeExitError{Err: errors.New("command terminated with exit code 3"), Code: 3})
	if code != 3 || !failed {
		t.Errorf("got %d, %v", code, failed)
	}
	if _, failed := ExitCode(io.EOF); failed {
		t.Error("an error of the connection is no exit code")
	}
	if _, failed := ExitCode(nil); failed {
		t.Error("success is no failure")
	}
}

// A server that knows neither protocol is asked for both, and its refusal is the error.
func TestRunFallsBackFromWebSocketToSPDY(t *testing.T) {
	var methods []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method+" "+strings.ToLower(r.Header.Get("Upgrade")))
		http.Error(w, "no such thing", http.StatusForbidden)
	}))
	defer server.Close()
	u, err := url.Parse(server.URL + "/api/v1/namespaces/default/pods/p/exec?command=ls")
	if err != nil {
		t.Fatal(err)
	}
	err = Run(context.Background(), &rest.Config{Host: server.URL}, u, Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	if err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("error: %v", err)
	}
	if got, want := strings.Join(methods, ", "), "GET websocket, POST spdy/3.1"; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	blocked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-blocked }))
	defer server.Close()
	defer close(blocked)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Run(ctx, &rest.Config{Host: server.URL}, u, Streams{Out: io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
}

func TestNoTerminal(t *testing.T) {
	if NewTerminal(strings.NewReader(""), io.Discard) != nil {
		t.Error("a pipe is no terminal")
	}
}
