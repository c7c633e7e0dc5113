// Package resource is the one way objects come in and go out on the client's side: manifests, TYPE/NAME arguments, the
// mapping from names to endpoints by discovery, reads, writes, watches and waits. It prints nothing but the server's
// warnings, and knows kinds only as data.
package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// Config is what a Client needs.
type Config struct {
	// REST says how to reach the server; called at the first request.
	REST func(ctx context.Context) (*rest.Config, error)
	// CacheDir holds discovery between runs; empty keeps it in memory alone.
	CacheDir string
	// Namespace is the one of objects that name none; NamespaceExplicit says that it was asked for by flag.
	Namespace         string
	NamespaceExplicit bool
	Stdin             io.Reader
	// Warnings is where the server's warnings go.
	Warnings         io.Writer
	WarningsAsErrors bool
	// Kustomize renders the directory of -k.
	Kustomize func(dir string) ([]byte, error)
	// MatchServerVersion, if set, is the only server version to speak to.
	MatchServerVersion string
}

// Client speaks to one API server. It is safe for concurrent use.
type Client struct {
	Config

	mu     sync.Mutex
	rest   *rest.Config
	http   *http.Client
	base   *url.URL
	mapper *Mapper
	warned warnings
}

// New makes a Client; nothing is dialled yet.
func New(c Config) *Client {
	return &Client{Config: c, warned: warnings{out: c.Warnings}}
}

// RESTConfig is the resolved way to the server, for what needs a connection of its own (exec, port-forward).
func (c *Client) RESTConfig(ctx context.Context) (*rest.Config, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return rest.CopyConfig(c.rest), nil
}

func (c *Client) connect(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		return nil
	}
	cfg, err := c.REST(ctx)
	if err != nil {
		return err
	}
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return err
	}
	defaultTLS := len(cfg.CAFile) != 0 || len(cfg.CAData) != 0 || len(cfg.CertFile) != 0 || len(cfg.CertData) != 0 || cfg.Insecure
	base, _, err := rest.DefaultServerURL(cfg.Host, "/", schema.GroupVersion{}, defaultTLS)
	if err != nil {
		return err
	}
	c.rest, c.http, c.base = cfg, client, base
	return nil
}

// Request is one call to the server. Path may carry a query. Resource and Name serve error texts only.
type Request struct {
	Method      string
	Path        string
	Query       url.Values
	Accept      string
	ContentType string
	Body        []byte
	// Stream is a body too large to hold; a request that has one is never sent twice.
	Stream   io.Reader
	Resource schema.GroupResource
	Name     string
}

// maxRetries bounds how often a request is sent again when the server asks to come back later.
const maxRetries = 10

// Open sends a request and gives the answer's body to read as it comes.
func (c *Client) Open(ctx context.Context, r Request) (*http.Response, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		req, err := c.newRequest(ctx, r)
		if err != nil {
			return nil, err
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, err
		}
		c.warned.add(resp.Header["Warning"])
		if resp.StatusCode < 300 {
			return resp, nil
		}
		if after, ok := retryAfter(resp); ok && try < maxRetries && r.Stream == nil {
			resp.Body.Close()
			select {
			case <-time.After(after):
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return nil, statusError(r, resp)
	}
}

func (c *Client) newRequest(ctx context.Context, r Request) (*http.Request, error) {
	u := *c.base
	p, rawQuery, _ := strings.Cut(r.Path, "?")
	trailing := strings.HasSuffix(p, "/") && p != "/"
	u.Path = path.Join(u.Path, p)
	if trailing {
		u.Path += "/"
	}
	u.RawQuery = rawQuery
	if q := r.Query.Encode(); q != "" {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += q
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	body := r.Stream
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	accept := r.Accept
	if accept == "" {
		accept = "application/json"
	}
	req.Header.Set("Accept", accept)
	if body != nil {
		contentType := r.ContentType
		if contentType == "" {
			contentType = "application/json"
		}
		req.Header.Set("Content-Type", contentType)
	}
	return req, nil
}

func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second, err == nil
}

// Do sends a request and gives the whole body of its answer.
func (c *Client) Do(ctx context.Context, r Request) ([]byte, error) {
	resp, err := c.Open(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// statusError is the error of an answer that is none of 2xx: the server's own Status if it sent one.
func statusError(r Request, resp *http.Response) error {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 3<<20))
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" && status.Status != metav1.StatusSuccess {
		return &apierrors.StatusError{ErrStatus: status}
	}
	verb := strings.ToLower(r.Method)
	switch r.Method {
	case "", http.MethodGet:
		verb = "get"
	case http.MethodPost:
		verb = "post"
	}
	message := "unknown"
	if text := strings.TrimSpace(string(body)); text != "" && !bytes.ContainsRune(body, 0) {
		message = text
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return apierrors.NewGenericServerResponse(resp.StatusCode, verb, r.Resource, r.Name, message, seconds, true)
}

// GetRaw reads any path of the server.
func (c *Client) GetRaw(ctx context.Context, path string) ([]byte, error) {
	return c.Do(ctx, Request{Path: path})
}

// checkVersion keeps --match-server-version's promise.
func (c *Client) checkVersion(ctx context.Context) error {
	if c.MatchServerVersion == "" {
		return nil
	}
	body, err := c.GetRaw(ctx, "/version")
	if err != nil {
		return err
	}
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("read server version: %w", err)
	}
	if v.GitVersion != c.MatchServerVersion {
		return fmt.Errorf("client version (%s) differs from server version (%s)", c.MatchServerVersion, v.GitVersion)
	}
	return nil
}
