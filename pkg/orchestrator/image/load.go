package image

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Load takes over the images of an archive: `docker save`'s, or an OCI layout, packed or not.
func (s *Store) Load(ctx context.Context, r io.Reader) ([]string, error) {
	a, err := s.spool(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("load images: %w", err)
	}
	defer a.close()
	var found []loaded
	switch {
	case a.has("manifest.json"):
		found, err = a.docker()
	case a.has("index.json"):
		found, err = a.layout(ownPlatformOr(s))
	default:
		err = errors.New("the archive is neither docker's (no manifest.json) nor an OCI layout (no index.json)")
	}
	if err != nil {
		return nil, fmt.Errorf("load images: %w", err)
	}
	var names []string
	for _, l := range found {
		if err := s.fetch(ctx, &l.record, l.sources, func(int64) {}); err != nil {
			return names, fmt.Errorf("load images: %w", err)
		}
		if _, err := s.add(l.record); err != nil {
			return names, fmt.Errorf("load images: %w", err)
		}
		if len(l.record.Tags) == 0 {
			names = append(names, l.record.ID)
		}
		names = append(names, l.record.Tags...)
	}
	return names, nil
}

func ownPlatformOr(s *Store) v1.Platform {
	p, err := s.platform()
	if err != nil {
		return ownPlatform()
	}
	return p
}

type loaded struct {
	record  record
	sources []source
}

// archive is a tar file on disk and where its members lie in it.
type archive struct {
	f       *os.File
	members map[string]*io.SectionReader
}

// maxDocument bounds manifests and configurations, which are read into memory.
const maxDocument = 8 << 20

func (s *Store) spool(ctx context.Context, r io.Reader) (*archive, error) {
	plain, err := decompress(&cancelReader{ctx, r})
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	f, err := os.CreateTemp(filepath.Join(s.cfg.Dir, "tmp"), "load.*")
	if err != nil {
		return nil, err
	}
	a := &archive{f: f, members: map[string]*io.SectionReader{}}
	if err = os.Remove(f.Name()); err == nil {
		_, err = io.Copy(f, plain)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = a.list()
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *archive) close() { a.f.Close() }

func (a *archive) list() error {
	links := map[string]string{}
	t := tar.NewReader(a.f)
	for {
		h, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("the archive is no tar file, or cut short: %w", err)
		}
		name := path.Clean(h.Name)
		switch h.Typeflag {
		case tar.TypeReg:
			at, err := a.f.Seek(0, io.SeekCurrent)
			if err != nil {
				return err
			}
			a.members[name] = io.NewSectionReader(a.f, at, h.Size)
		case tar.TypeSymlink: // docker's own way to name a layer twice
			links[name] = path.Join(path.Dir(name), h.Linkname)
		case tar.TypeLink: // tar's
			links[name] = path.Clean(h.Linkname)
		}
	}
	for from, to := range links {
		if m := a.members[to]; m != nil {
			a.members[from] = m
		}
	}
	return nil
}

func (a *archive) has(name string) bool { return a.members[name] != nil }

func (a *archive) open(name string) (*io.SectionReader, error) {
	m := a.members[path.Clean(name)]
	if m == nil {
		return nil, fmt.Errorf("the archive has no %s", name)
	}
	return io.NewSectionReader(m, 0, m.Size()), nil
}

func (a *archive) document(name string, v any) ([]byte, error) {
	m, err := a.open(name)
	if err != nil {
		return nil, err
	}
	if m.Size() > maxDocument {
		return nil, fmt.Errorf("%s is too big", name)
	}
	body, err := io.ReadAll(m)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	return body, nil
}

func (a *archive) docker() ([]loaded, error) {
	var manifests []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if _, err := a.document("manifest.json", &manifests); err != nil {
		return nil, err
	}
	var out []loaded
	for _, m := range manifests {
		var config v1.ConfigFile
		body, err := a.document(m.Config, &config)
		if err != nil {
			return nil, err
		}
		if len(config.RootFS.DiffIDs) != len(m.Layers) {
			return nil, fmt.Errorf("mismatched image rootfs and manifest layers: %d and %d", len(config.RootFS.DiffIDs), len(m.Layers))
		}
		l := loaded{record: record{ID: digestOf(body), Size: int64(len(body)), Config: imageConfig(config.Config)}}
		for i, name := range m.Layers {
			src, err := a.source(name)
			if err != nil {
				return nil, err
			}
			l.sources = append(l.sources, src)
			l.record.Size += src.size
			l.record.Layers = append(l.record.Layers, layer{DiffID: config.RootFS.DiffIDs[i].String()})
		}
		for _, tag := range m.RepoTags {
			ref, err := ParseReference(tag)
			if err != nil {
				return nil, err
			}
			l.record.Tags = append(l.record.Tags, ref.String())
		}
		out = append(out, l)
	}
	return out, nil
}

func digestOf(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// source needs no digest of its own: unpacking compares with the configuration's, which the image's id covers.
func (a *archive) source(name string) (source, error) {
	m, err := a.open(name)
	if err != nil {
		return source{}, err
	}
	return source{size: m.Size(), open: func() (io.ReadCloser, error) {
		r, err := a.open(name)
		return io.NopCloser(r), err
	}}, nil
}

func blob(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

func (a *archive) layout(platform v1.Platform) ([]loaded, error) {
	var index v1.IndexManifest
	if _, err := a.document("index.json", &index); err != nil {
		return nil, err
	}
	manifests := slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Platform != nil && !d.Platform.Satisfies(platform) })
	if len(manifests) == 0 {
		return nil, fmt.Errorf("the archive has no image for platform %s", platform)
	}
	var out []loaded
	for _, d := range manifests {
		l, err := a.manifest(d, platform)
		if err != nil {
			return nil, err
		}
		name := d.Annotations["io.containerd.image.name"]
		if name == "" {
			name = d.Annotations["org.opencontainers.image.ref.name"]
		}
		if strings.ContainsAny(name, ":/") { // a bare tag names no image
			ref, err := ParseReference(name)
			if err != nil {
				return nil, err
			}
			l.record.Tags = []string{ref.String()}
			l.record.Digests = []string{ref.Name() + "@" + d.Digest.String()}
		}
		out = append(out, *l)
	}
	return out, nil
}

// manifest reads one, or the one for this machine out of an index.
func (a *archive) manifest(d v1.Descriptor, platform v1.Platform) (*loaded, error) {
	if d.MediaType.IsIndex() {
		var index v1.IndexManifest
		if _, err := a.verified(d.Digest, &index); err != nil {
			return nil, err
		}
		for _, m := range index.Manifests {
			if m.Platform == nil || m.Platform.Satisfies(platform) {
				return a.manifest(m, platform)
			}
		}
		return nil, fmt.Errorf("no match for platform %s in manifest %s", platform, d.Digest)
	}
	var m v1.Manifest
	if _, err := a.verified(d.Digest, &m); err != nil {
		return nil, err
	}
	var config v1.ConfigFile
	if _, err := a.verified(m.Config.Digest, &config); err != nil {
		return nil, err
	}
	rec, err := newRecord(&m, &config)
	if err != nil {
		return nil, err
	}
	l := &loaded{record: *rec}
	for _, d := range m.Layers {
		src, err := a.source(blob(d.Digest))
		if err != nil {
			return nil, err
		}
		l.sources = append(l.sources, src)
	}
	return l, nil
}

func (a *archive) verified(h v1.Hash, v any) ([]byte, error) {
	body, err := a.document(blob(h), v)
	if err != nil {
		return nil, err
	}
	if digestOf(body) != h.String() {
		return nil, fmt.Errorf("%s does not have its digest", blob(h))
	}
	return body, nil
}
