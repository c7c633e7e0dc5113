package hollow

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// Images implements container.Images in memory: images have names, ids and sizes, and no content.
type Images struct {
	config  Config
	mu      sync.Mutex
	present map[string]container.Image // by reference
}

func imageOf(ref string, size int64) container.Image {
	name, _, _ := strings.Cut(ref, "@")
	if size == 0 {
		size = 1 << 20
	}
	sum := sha256.Sum256([]byte(ref))
	img := container.Image{ID: fmt.Sprintf("sha256:%x", sum), Size: size}
	if at := strings.Index(ref, "@"); at >= 0 {
		img.RepoDigests = []string{ref}
		return img
	}
	repo := name
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		repo = name[:colon]
	}
	img.RepoTags = []string{name}
	img.RepoDigests = []string{repo + "@" + img.ID}
	return img
}

// Pull implements container.Images.
func (i *Images) Pull(ctx context.Context, ref string, _ []container.RegistryAuth, progress func(done, total int64)) (container.Image, error) {
	var size int64
	if i.config.Pull != nil {
		took, bytes, err := i.config.Pull(ref)
		if took > 0 {
			timer := time.NewTimer(took)
			defer timer.Stop()
			select {
			case <-ctx.Done():
				return container.Image{}, ctx.Err()
			case <-timer.C:
			}
		}
		if err != nil {
			return container.Image{}, err
		}
		size = bytes
	}
	img := imageOf(ref, size)
	if progress != nil {
		progress(img.Size, img.Size)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.present[ref] = img
	return img, nil
}

// Get implements container.Images.
func (i *Images) Get(_ context.Context, ref string) (container.Image, bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if img, ok := i.present[ref]; ok {
		return img, true, nil
	}
	for _, img := range i.present {
		if img.ID == ref {
			return img, true, nil
		}
	}
	if i.config.NoCache || i.config.Pull != nil || strings.HasPrefix(ref, "sha256:") {
		return container.Image{}, false, nil
	}
	img := imageOf(ref, 0)
	i.present[ref] = img
	return img, true, nil
}

// List implements container.Images.
func (i *Images) List(context.Context) ([]container.Image, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := make([]container.Image, 0, len(i.present))
	for _, img := range i.present {
		out = append(out, img)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].ID < out[b].ID })
	return out, nil
}

// Remove implements container.Images.
func (i *Images) Remove(_ context.Context, ref string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for name, img := range i.present {
		if name == ref || img.ID == ref {
			delete(i.present, name)
		}
	}
	return nil
}

// Load implements container.Images: a hollow node has nothing to load images into.
func (i *Images) Load(context.Context, io.Reader) ([]string, error) {
	return nil, errors.New("load image: the hollow runtime keeps no image content")
}

// Mount implements container.Images.
func (i *Images) Mount(context.Context, string, string) (string, error) {
	return "", errors.New("mount image: the hollow runtime keeps no image content")
}

// Unmount implements container.Images.
func (i *Images) Unmount(context.Context, string) error { return nil }
