package cli

import (
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// startOnRefusal makes the first request that nobody answers start the built-in cluster, if the context is one of its own.
// A cluster that runs costs nothing more.
func (f *Factory) startOnRefusal(c *rest.Config) {
	raw, err := f.Loader().RawConfig()
	if err != nil || f.Flags.Server != "" || f.Flags.Cluster != "" {
		return
	}
	name := f.effectiveContext(&raw)
	if name == "" || !f.IsBuiltin(name, &raw) {
		return
	}
	var once sync.Once
	var startErr error
	c.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil || !strings.Contains(err.Error(), "connection refused") {
				return resp, err
			}
			once.Do(func() { _, startErr = f.StartBuiltin(r.Context(), name) })
			if startErr != nil {
				return nil, startErr
			}
			if r.Body != nil && r.GetBody != nil {
				if r.Body, err = r.GetBody(); err != nil {
					return nil, err
				}
			}
			return next.RoundTrip(r)
		})
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
