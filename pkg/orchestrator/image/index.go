package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// index is what the store knows, kept in one file.
type index struct {
	Images map[string]*record `json:"images"` // by id
}

// record is an image whose layers are all unpacked.
type record struct {
	ID      string                `json:"id"`
	Tags    []string              `json:"tags,omitempty"`
	Digests []string              `json:"digests,omitempty"`
	Size    int64                 `json:"size"`
	Config  container.ImageConfig `json:"config"`
	Layers  []layer               `json:"layers"` // the lowest first
	Created time.Time             `json:"created"`
}

// layer is named by the digest of its uncompressed form, so that images share it however it was packed.
type layer struct {
	DiffID string `json:"diffID"`
}

func (r *record) image() container.Image {
	return container.Image{ID: r.ID, RepoTags: slices.Clone(r.Tags), RepoDigests: slices.Clone(r.Digests), Size: r.Size,
		Config: r.Config}
}

func (x *index) load(path string) error {
	x.Images = map[string]*record{}
	body, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, x); err != nil {
		return fmt.Errorf("decode %s: %w", path, err)
	}
	return nil
}

func (x index) save(path string) error {
	body, err := json.MarshalIndent(x, "", " ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".index.*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(body)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func (x index) clone() index {
	out := index{Images: make(map[string]*record, len(x.Images))}
	for id, r := range x.Images {
		c := *r
		c.Tags, c.Digests = slices.Clone(r.Tags), slices.Clone(r.Digests)
		out.Images[id] = &c
	}
	return out
}

// uses tells whether any image has the layer.
func (x index) uses(diffID string) bool {
	for _, r := range x.Images {
		if slices.ContainsFunc(r.Layers, func(l layer) bool { return l.DiffID == diffID }) {
			return true
		}
	}
	return false
}

// find looks for an id, a name, and the beginning of an id of which there is only one.
func (x index) find(ref string) *record {
	if r := x.Images[ref]; r != nil {
		return r
	}
	if r := x.Images["sha256:"+ref]; r != nil {
		return r
	}
	if name, err := ParseReference(ref); err == nil {
		for _, r := range x.Images {
			if slices.Contains(r.Tags, name.String()) || slices.Contains(r.Digests, name.String()) {
				return r
			}
		}
	}
	prefix := "sha256:" + strings.TrimPrefix(ref, "sha256:")
	if len(prefix) < len("sha256:")+6 {
		return nil
	}
	var found *record
	for id, r := range x.Images {
		if strings.HasPrefix(id, prefix) {
			if found != nil {
				return nil
			}
			found = r
		}
	}
	return found
}
