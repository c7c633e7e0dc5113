package image

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// endpoint is a place that may have an image.
type endpoint struct {
	repo   name.Repository
	host   string // as a person knows it
	origin bool   // the registry that the reference names
}

// endpoints gives a reference's mirrors, in order, and then its registry.
func (s *Store) endpoints(ref Reference) ([]endpoint, error) {
	mirrors := s.cfg.Mirrors[ref.Host]
	if mirrors == nil {
		mirrors = s.cfg.Mirrors["*"]
	}
	var out []endpoint
	for _, m := range mirrors {
		e, err := mirror(m, ref.Repository)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	host := ref.Host
	if host == "docker.io" {
		host = name.DefaultRegistry
	}
	var options []name.Option
	if loopback(host) {
		options = append(options, name.Insecure)
	}
	repo, err := name.NewRepository(host+"/"+ref.Repository, options...)
	if err != nil {
		return nil, err
	}
	return append(out, endpoint{repo: repo, host: ref.Host, origin: true}), nil
}

// mirror reads a mirror's URL. Plain HTTP is for this machine only: elsewhere anybody on the way could answer.
func mirror(address, repository string) (endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return endpoint{}, fmt.Errorf("registry mirror %q is no http or https URL", address)
	}
	var options []name.Option
	if u.Scheme == "http" {
		if !loopback(u.Host) {
			return endpoint{}, fmt.Errorf("registry mirror %q: plain http is for loopback addresses only", address)
		}
		options = append(options, name.Insecure)
	}
	if prefix := strings.TrimSuffix(strings.TrimPrefix(strings.Trim(u.Path, "/"), "v2"), "/"); prefix != "" {
		repository = strings.Trim(prefix, "/") + "/" + repository
	}
	repo, err := name.NewRepository(u.Host+"/"+repository, options...)
	if err != nil {
		return endpoint{}, fmt.Errorf("registry mirror %q: %w", address, err)
	}
	return endpoint{repo: repo, host: u.Host}, nil
}

func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

// credentials picks what fits a registry: the longest entry that is its host or a path above the repository.
func credentials(auth []container.RegistryAuth, host, repository string) authn.Authenticator {
	best, length := authn.Anonymous, -1
	for _, a := range auth {
		prefix := normalizeRegistry(a.Registry)
		if prefix != host && !strings.HasPrefix(host+"/"+repository+"/", prefix+"/") {
			continue
		}
		if len(prefix) > length {
			length = len(prefix)
			best = authn.FromConfig(authn.AuthConfig{Username: a.Username, Password: a.Password, IdentityToken: a.Token})
		}
	}
	return best
}

// normalizeRegistry reads what docker's configuration files have come to hold.
func normalizeRegistry(r string) string {
	r = strings.TrimPrefix(strings.TrimPrefix(r, "https://"), "http://")
	r = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(r, "/"), "/v1"), "/v2")
	switch r {
	case "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com":
		return "docker.io"
	}
	return r
}

func (s *Store) remoteOptions(ctx context.Context, ref Reference, e endpoint, auth []container.RegistryAuth) []remote.Option {
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(s.transport), remote.WithUserAgent("skiff"),
		// One quick second try; whoever asked for the image backs off and comes again.
		remote.WithRetryBackoff(remote.Backoff{Duration: 100 * time.Millisecond, Factor: 1, Steps: 2})}
	// A mirror is not told the registry's password.
	host := e.host
	if e.origin {
		host = ref.Host
	}
	return append(options, remote.WithAuth(credentials(append(auth, s.cfg.Auth...), host, ref.Repository)))
}

// Kinds of refusals that callers tell apart.
var (
	ErrNotFound     = errors.New("not found")
	ErrUnauthorized = errors.New("unauthorized")
)

// refused says in a registry's own words why it did not answer, under one of the kinds where it is one.
func refused(ref Reference, err error) error {
	var t *transport.Error
	if !errors.As(err, &t) {
		return err
	}
	words := []string{}
	for _, d := range t.Errors {
		words = append(words, strings.TrimSuffix(fmt.Sprintf("%s: %s", strings.ToLower(string(d.Code)), d.Message), ": "))
	}
	said := strings.Join(words, "; ")
	if said == "" {
		said = fmt.Sprintf("unexpected status code %d %s", t.StatusCode, http.StatusText(t.StatusCode))
	}
	switch t.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%s: %w (%s)", ref, ErrNotFound, said)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("pull access denied, repository does not exist or may require authorization: %w: %s", ErrUnauthorized, said)
	}
	return fmt.Errorf("unexpected status from %s: %d %s: %s", host(t), t.StatusCode, http.StatusText(t.StatusCode), said)
}

func host(t *transport.Error) string {
	if t.Request != nil && t.Request.URL != nil {
		return t.Request.URL.Host
	}
	return "registry"
}
