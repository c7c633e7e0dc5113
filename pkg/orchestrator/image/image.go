// Package image keeps a node's images: it pulls them from registries and their mirrors, or loads them from archives,
// verifies every digest, unpacks each layer once for all images that share it, and mounts them as root file systems.
// It runs nothing, and writes nowhere but below its own directory and the directories it is told to mount in.
package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// Config is what a Store needs.
type Config struct {
	Dir string
	// Mirrors gives, for a registry's host (docker.io, gcr.io, …; "*" for any), the URLs that are asked before it.
	Mirrors map[string][]string
	// Platform is "os/arch" or "os/arch/variant"; empty: this machine's.
	Platform string
	// Transport makes the requests; nil: the system's proxies and certificates.
	Transport http.RoundTripper
	// Auth are credentials for every pull, beside those of the pull secrets.
	Auth []container.RegistryAuth
}

// Store implements container.Images in a directory of its own, one Store at a time.
type Store struct {
	cfg       Config
	transport http.RoundTripper

	pulls  flights[container.Image]
	layers flights[int64]

	mu    sync.Mutex
	index index
}

var _ container.Images = (*Store)(nil)

// New opens the directory and sweeps away what a crash left half made.
func New(cfg Config) (*Store, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	cfg.Dir = dir
	for _, d := range []string{"layers", "tmp", "mounts"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("open images: %w", err)
		}
	}
	s := &Store{cfg: cfg, transport: cfg.Transport}
	if s.transport == nil {
		s.transport = remote.DefaultTransport
	}
	if err := s.index.load(s.indexPath()); err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("open images: %w", err)
	}
	return s, nil
}

func (s *Store) indexPath() string { return filepath.Join(s.cfg.Dir, "index.json") }

// Get finds an image by reference, by id, or by the beginning of an id's digits.
func (s *Store) Get(_ context.Context, ref string) (container.Image, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.index.find(ref)
	if rec == nil {
		return container.Image{}, false, nil
	}
	return rec.image(), true, nil
}

// List gives all images, ordered by their first name.
func (s *Store) List(context.Context) ([]container.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]container.Image, 0, len(s.index.Images))
	for _, rec := range s.index.Images {
		out = append(out, rec.image())
	}
	slices.SortFunc(out, func(a, b container.Image) int {
		return strings.Compare(strings.Join(a.RepoTags, " ")+" "+a.ID, strings.Join(b.RepoTags, " ")+" "+b.ID)
	})
	return out, nil
}

// ErrInUse is for an image that a container is made of.
var ErrInUse = errors.New("image is in use by a container")

// Remove takes a name away from an image; with its last name, or by its id, the image and those of its layers that no
// other has.
func (s *Store) Remove(_ context.Context, ref string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.index.find(ref)
	if rec == nil {
		return nil
	}
	next := s.index.clone()
	rec = next.Images[rec.ID]
	if name, err := ParseReference(ref); err == nil && slices.Contains(rec.Tags, name.String()) && len(rec.Tags) > 1 {
		rec.Tags = slices.DeleteFunc(rec.Tags, func(t string) bool { return t == name.String() })
		return s.replace(next)
	}
	used, err := s.mounted(rec.ID)
	if err != nil {
		return err
	}
	if used {
		return fmt.Errorf("remove image %s: %w", ref, ErrInUse)
	}
	delete(next.Images, rec.ID)
	if err := s.replace(next); err != nil {
		return err
	}
	// The index no longer names them, so a crash from here on leaves only what the next sweep takes.
	for _, l := range rec.Layers {
		if !next.uses(l.DiffID) && !s.layers.active(l.DiffID) {
			if err := s.removeLayer(l.DiffID); err != nil {
				return fmt.Errorf("remove image %s: %w", ref, err)
			}
		}
	}
	return nil
}

// replace makes a changed index the one that counts, on disk first.
func (s *Store) replace(next index) error {
	if err := next.save(s.indexPath()); err != nil {
		return fmt.Errorf("save index of images: %w", err)
	}
	s.index = next
	return nil
}

// add takes an image into the index; names that it takes over leave their old images.
func (s *Store) add(rec record) (container.Image, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.index.clone()
	for _, other := range next.Images {
		if other.ID != rec.ID {
			other.Tags = slices.DeleteFunc(other.Tags, func(t string) bool { return slices.Contains(rec.Tags, t) })
		}
	}
	if old := next.Images[rec.ID]; old != nil {
		rec.Tags = union(old.Tags, rec.Tags)
		rec.Digests = union(old.Digests, rec.Digests)
		rec.Created = old.Created
	} else {
		rec.Created = time.Now()
	}
	for _, l := range rec.Layers {
		if !s.hasLayer(l.DiffID) {
			return container.Image{}, fmt.Errorf("layer %s was removed meanwhile", l.DiffID)
		}
	}
	next.Images[rec.ID] = &rec
	if err := s.replace(next); err != nil {
		return container.Image{}, err
	}
	return rec.image(), nil
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
