package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry serves the images on this machine, as a mirror of docker.io and gcr.io.
type Registry struct {
	URL    string
	server *http.Server
	done   chan error
}

// Serve starts a registry at address (127.0.0.1:0 for any port) with the images that All made below dir.
func Serve(ctx context.Context, dir, address string) (*Registry, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve images: %w", err)
	}
	return ServeOn(ctx, dir, l)
}

// ServeOn is Serve on a listener that the caller made, in another network namespace perhaps.
func ServeOn(ctx context.Context, dir string, l net.Listener) (*Registry, error) {
	blobs := filepath.Join(dir, "blobs")
	// The registry's disk store does not make its own directory.
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		l.Close()
		return nil, err
	}
	handler := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)), registry.Logger(log.New(io.Discard, "", 0)))
	r := &Registry{URL: "http://" + l.Addr().String(), server: &http.Server{Handler: handler}, done: make(chan error, 1)}
	if err := fill(ctx, dir, handler); err != nil {
		l.Close()
		return nil, err
	}
	go func() { r.done <- r.server.Serve(l) }()
	return r, nil
}

// Mirrors is the configuration that has these images pulled from here.
func (r *Registry) Mirrors() map[string][]string {
	return map[string][]string{"docker.io": {r.URL}, "gcr.io": {r.URL}}
}

// Close stops serving.
func (r *Registry) Close() error {
	err := r.server.Close()
	if serr := <-r.done; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// fill pushes the images to the handler itself, over no network.
func fill(ctx context.Context, dir string, handler http.Handler) error {
	index, err := layout.ImageIndexFromPath(layoutDir(dir))
	if err != nil {
		return fmt.Errorf("read images: %w", err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return fmt.Errorf("read images: %w", err)
	}
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			return fmt.Errorf("read images: %w", err)
		}
		_, repository, _ := strings.Cut(d.Annotations[nameAnnotation], "/")
		tag, err := name.NewTag("localhost/"+repository, name.Insecure)
		if err != nil {
			return err
		}
		if err := remote.Write(tag, img, remote.WithContext(ctx), remote.WithTransport(direct{handler})); err != nil {
			return fmt.Errorf("push %s: %w", tag, err)
		}
	}
	return nil
}
