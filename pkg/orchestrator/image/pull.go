package image

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// parallelLayers is how many layers of an image are fetched at once.
const parallelLayers = 4

// Pull fetches an image. Many who want the same one with the same credentials share one pull; only the first one's
// progress is told.
func (s *Store) Pull(ctx context.Context, name string, auth []container.RegistryAuth, progress func(done, total int64)) (container.Image, error) {
	ref, err := ParseReference(name)
	if err != nil {
		return container.Image{}, fmt.Errorf("failed to pull image %q: %w", name, err)
	}
	img, err := s.pulls.do(ctx, pullKey(ref, auth), func(ctx context.Context) (container.Image, error) {
		return s.pull(ctx, ref, auth, progress)
	})
	if err != nil {
		return container.Image{}, fmt.Errorf("failed to pull and unpack image %q: %w", ref, err)
	}
	return img, nil
}

func pullKey(ref Reference, auth []container.RegistryAuth) string {
	h := sha256.New()
	for _, a := range auth {
		fmt.Fprintf(h, "%q %q %q %q\n", a.Registry, a.Username, a.Password, a.Token)
	}
	return ref.String() + " " + hex.EncodeToString(h.Sum(nil))
}

// resolved is an image that a registry has.
type resolved struct {
	image  v1.Image
	digest v1.Hash // of what the reference names: a manifest, or an index of them
}

func (s *Store) pull(ctx context.Context, ref Reference, auth []container.RegistryAuth, progress func(done, total int64)) (container.Image, error) {
	places, err := s.endpoints(ref)
	if err != nil {
		return container.Image{}, err
	}
	var refusals []refusal
	for _, e := range places {
		img, err := s.pullFrom(ctx, ref, e, auth, progress)
		if err == nil {
			return img, nil
		}
		if ctx.Err() != nil {
			return container.Image{}, ctx.Err()
		}
		refusals = append(refusals, refusal{e.host, err})
	}
	return container.Image{}, combine(refusals)
}

// refusal is what one of several places said.
type refusal struct {
	host string
	err  error
}

// weight ranks refusals as containerd does: an answer counts more than none, a complaint more than "not found".
func (r refusal) weight() int {
	var network net.Error
	switch {
	case errors.Is(r.err, ErrNotFound):
		return 2
	case errors.As(r.err, &network):
		return 1
	}
	return 3
}

// combine gives the weightiest refusal, followed by what kept the registry itself from being asked.
func combine(refusals []refusal) error {
	best := slices.MaxFunc(refusals, func(a, b refusal) int { return a.weight() - b.weight() })
	last := refusals[len(refusals)-1]
	if best.host == last.host || last.weight() > 1 {
		return best.err
	}
	return fmt.Errorf("%w (said %s; %s could not be asked: %v)", best.err, best.host, last.host, last.err)
}

func (s *Store) pullFrom(ctx context.Context, ref Reference, e endpoint, auth []container.RegistryAuth, progress func(done, total int64)) (container.Image, error) {
	found, err := s.resolve(ctx, ref, e, auth)
	if err != nil {
		return container.Image{}, fmt.Errorf("failed to resolve reference %q: %w", ref, refused(ref, err))
	}
	manifest, err := found.image.Manifest()
	if err != nil {
		return container.Image{}, fmt.Errorf("failed to read manifest of %q: %w", ref, refused(ref, err))
	}
	config, err := found.image.ConfigFile()
	if err != nil {
		return container.Image{}, fmt.Errorf("failed to read configuration of %q: %w", ref, refused(ref, err))
	}
	sources, err := remoteLayers(found.image)
	if err != nil {
		return container.Image{}, fmt.Errorf("failed to read layers of %q: %w", ref, refused(ref, err))
	}
	rec, err := newRecord(manifest, config)
	if err != nil {
		return container.Image{}, err
	}
	if ref.Tag != "" {
		rec.Tags = []string{ref.String()}
	}
	rec.Digests = []string{ref.Name() + "@" + found.digest.String()}
	if err := s.fetch(ctx, rec, sources, meter(rec.Size, progress)); err != nil {
		return container.Image{}, refused(ref, err)
	}
	return s.add(*rec)
}

func (s *Store) resolve(ctx context.Context, ref Reference, e endpoint, auth []container.RegistryAuth) (resolved, error) {
	options := s.remoteOptions(ctx, ref, e, auth)
	platform, err := s.platform()
	if err != nil {
		return resolved{}, err
	}
	options = append(options, remote.WithPlatform(platform))
	var d *remote.Descriptor
	if ref.Digest != "" {
		d, err = remote.Get(e.repo.Digest(ref.Digest), options...)
	} else {
		d, err = remote.Get(e.repo.Tag(ref.Tag), options...)
	}
	if err != nil {
		return resolved{}, err
	}
	img, err := d.Image()
	if err != nil {
		return resolved{}, err
	}
	return resolved{img, d.Digest}, nil
}

// source is a layer's packed bytes, verified while they are read.
type source struct {
	open func() (io.ReadCloser, error)
	size int64
}

func remoteLayers(img v1.Image) ([]source, error) {
	layers, err := img.Layers()
	if err != nil {
		return nil, err
	}
	var out []source
	for _, l := range layers {
		size, err := l.Size()
		if err != nil {
			return nil, err
		}
		out = append(out, source{open: l.Compressed, size: size})
	}
	return out, nil
}

func newRecord(m *v1.Manifest, c *v1.ConfigFile) (*record, error) {
	if len(c.RootFS.DiffIDs) != len(m.Layers) {
		return nil, fmt.Errorf("mismatched image rootfs and manifest layers: %d and %d", len(c.RootFS.DiffIDs), len(m.Layers))
	}
	rec := &record{ID: m.Config.Digest.String(), Size: m.Config.Size, Config: imageConfig(c.Config)}
	for i, l := range m.Layers {
		rec.Size += l.Size
		rec.Layers = append(rec.Layers, layer{DiffID: c.RootFS.DiffIDs[i].String()})
	}
	return rec, nil
}

func imageConfig(c v1.Config) container.ImageConfig {
	out := container.ImageConfig{User: c.User, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd, WorkingDir: c.WorkingDir,
		StopSignal: c.StopSignal, Labels: c.Labels}
	for v := range c.Volumes {
		out.Volumes = append(out.Volumes, v)
	}
	for p := range c.ExposedPorts {
		out.ExposedPorts = append(out.ExposedPorts, p)
	}
	slices.Sort(out.Volumes)
	slices.Sort(out.ExposedPorts)
	return out
}

// fetch has every layer of an image unpacked, some at a time; the first failure stops the rest.
func (s *Store) fetch(ctx context.Context, rec *record, sources []source, count func(int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	room := make(chan struct{}, parallelLayers)
	for i, src := range sources {
		diffID := rec.Layers[i].DiffID
		if s.hasLayer(diffID) {
			count(src.size)
			continue
		}
		wg.Go(func() {
			select {
			case room <- struct{}{}:
				defer func() { <-room }()
			case <-ctx.Done():
				return
			}
			err := s.ensureLayer(ctx, diffID, func(context.Context) (io.ReadCloser, error) {
				r, err := src.open()
				if err != nil {
					return nil, err
				}
				return counted{r, count}, nil
			})
			if err != nil {
				cancel(fmt.Errorf("failed to extract layer %s: %w", diffID, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

type counted struct {
	io.ReadCloser
	count func(int64)
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.count(int64(n))
	return n, err
}

// meter adds up what all layers read and tells at most a hundred times, one call after another.
func meter(total int64, tell func(done, total int64)) func(int64) {
	if tell == nil {
		return func(int64) {}
	}
	var mu sync.Mutex
	var done, told int64
	step := max(total/100, 1)
	return func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if done-told >= step || (done >= total && told < total) {
			told = done
			tell(min(done, total), total)
		}
	}
}

func (s *Store) platform() (v1.Platform, error) {
	p, err := v1.ParsePlatform(s.cfg.Platform)
	if err != nil {
		return v1.Platform{}, fmt.Errorf("platform %q: %w", s.cfg.Platform, err)
	}
	if p.OS == "" || strings.TrimSpace(s.cfg.Platform) == "" {
		return ownPlatform(), nil
	}
	return *p, nil
}
