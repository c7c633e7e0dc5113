package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubeskiff/skiff/pkg/api/all"
	"github.com/kubeskiff/skiff/pkg/orchestrator"
	"github.com/kubeskiff/skiff/pkg/orchestrator/admission"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/store"
)

// side is one of the two servers, with what was kept of its earlier answers.
type side struct {
	client *http.Client
	url    string
	vars   map[string]string
}

// answer is a response read to its end.
type answer struct {
	code   int
	header http.Header
	body   string
}

func remote(kubeconfig string) (*side, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kubeconfig, err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", kubeconfig, err)
	}
	client.Timeout = 30 * time.Second
	return &side{client: client, url: strings.TrimSuffix(config.Host, "/"), vars: map[string]string{}}, nil
}

// admin takes every request for the administrator's, under the name that upstream's test tokens give him.
type admin struct{}

func (admin) Authenticate(*http.Request) (*auth.User, error) {
	return &auth.User{Name: "admin", Groups: []string{auth.GroupMasters, auth.GroupAuthenticated}}, nil
}

// local runs our server in this process unless there is a kubeconfig of one that runs already.
func local(ctx context.Context, kubeconfig string) (*side, func(), error) {
	if kubeconfig != "" {
		s, err := remote(kubeconfig)
		return s, func() {}, err
	}
	kinds := all.Kinds()
	st, err := store.New(store.Memory(), apiserver.Codec(kinds))
	if err != nil {
		return nil, nil, fmt.Errorf("open the store: %w", err)
	}
	read := apiserver.NewReader(st)
	api, err := apiserver.New(apiserver.Config{
		Store: st, Kinds: kinds, Admission: admission.Default(read), Authenticator: admin{}, Authorizer: auth.NewRights(read),
		ServiceRange: netip.MustParsePrefix("10.96.0.0/16"), Endpoint: netip.MustParseAddrPort("192.168.77.2:6443"),
		Issuer: "https://kubernetes.default.svc", Version: orchestrator.Version(),
		SignToken: func(context.Context, apiserver.TokenRequest) (string, error) { return "signed", nil },
	})
	if err != nil {
		return nil, nil, err
	}
	go func() {
		if err := api.ServePipe(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			fmt.Println(err)
		}
	}()
	if err := api.Bootstrap(ctx); err != nil {
		return nil, nil, err
	}
	srv := httptest.NewServer(api)
	done := func() { _ = api.Shutdown(ctx); srv.Close() }
	return &side{client: &http.Client{Timeout: 30 * time.Second}, url: srv.URL, vars: map[string]string{}}, done, nil
}

// fill puts what was kept into the {name}s of a text.
func (s *side) fill(text string) string {
	for k, v := range s.vars {
		text = strings.ReplaceAll(text, "{"+k+"}", v)
	}
	return text
}

func (s *side) send(method, path, body string, headers []string) (answer, error) {
	req, err := http.NewRequest(method, s.url+s.fill(path), strings.NewReader(s.fill(body)))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "compare/1.0")
	req.Header.Set("Accept", "application/json")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data)}, err
}
