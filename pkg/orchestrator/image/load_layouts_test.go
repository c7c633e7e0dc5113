package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// saved is an image as the writer of an archive has it.
type saved struct {
	id, config string
	layers     []string // tar files
}

func save(t *testing.T, user string, layers ...string) saved {
	t.Helper()
	c := v1.ConfigFile{Architecture: "amd64", OS: "linux", Config: v1.Config{User: user}, RootFS: v1.RootFS{Type: "layers"}}
	for _, l := range layers {
		h, err := v1.NewHash(digestOf([]byte(l)))
		if err != nil {
			t.Fatal(err)
		}
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, h)
	}
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return saved{digestOf(body), string(body), layers}
}

func hexOf(body string) string { return strings.TrimPrefix(digestOf([]byte(body)), "sha256:") }

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// manifestEntry is one of docker's manifest.json.
type manifestEntry struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// blobOf is a member of an OCI layout.
func blobOf(body string) member { return member{name: "blobs/sha256/" + hexOf(body), body: body} }

// ociManifest is an image's manifest and the blobs that it names.
func (s saved) ociManifest(t *testing.T) (manifest string, blobs []member) {
	t.Helper()
	describe := func(kind types.MediaType, body string) v1.Descriptor {
		return v1.Descriptor{MediaType: kind, Size: int64(len(body)), Digest: v1.Hash{Algorithm: "sha256", Hex: hexOf(body)}}
	}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: describe(types.OCIConfigJSON, s.config)}
	blobs = []member{blobOf(s.config)}
	for _, l := range s.layers {
		m.Layers = append(m.Layers, describe(types.OCIUncompressedLayer, l))
		blobs = append(blobs, blobOf(l))
	}
	manifest = encoded(t, m)
	return manifest, append(blobs, blobOf(manifest))
}

func descriptor(manifest string, platform *v1.Platform, annotations map[string]string) v1.Descriptor {
	return v1.Descriptor{MediaType: types.OCIManifestSchema1, Size: int64(len(manifest)), Platform: platform, Annotations: annotations,
		Digest: v1.Hash{Algorithm: "sha256", Hex: hexOf(manifest)}}
}

func indexOf(t *testing.T, ds ...v1.Descriptor) member {
	return member{name: "index.json", body: encoded(t, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: ds})}
}

// TestLoadLayouts loads what programs really write: docker save of before and since version 25, packed again by tar, buildx.
func TestLoadLayouts(t *testing.T) {
	base := string(tarOf(t, member{name: "base", body: "b"}))
	app, tool := save(t, "app", base, string(tarOf(t, member{name: "app", body: "a"}))), save(t, "tool", base)
	appDir, baseDir := "1111/", "2222/"
	legacy := []member{
		{name: baseDir}, {name: baseDir + "VERSION", body: "1.0"}, {name: baseDir + "json", body: "{}"}, {name: baseDir + "layer.tar", body: base},
		{name: appDir}, {name: appDir + "VERSION", body: "1.0"}, {name: appDir + "layer.tar", body: app.layers[1]},
		{name: "3333/layer.tar", link: "../2222/layer.tar", kind: tar.TypeSymlink},
		{name: hexOf(app.config) + ".json", body: app.config}, {name: hexOf(tool.config) + ".json", body: tool.config},
		{name: "manifest.json", body: encoded(t, []manifestEntry{
			{hexOf(app.config) + ".json", []string{"team/app:1.0", "team/app:latest"}, []string{baseDir + "layer.tar", appDir + "layer.tar"}},
			{hexOf(tool.config) + ".json", []string{"localhost:5000/tool:2"}, []string{"3333/layer.tar"}},
		})},
		{name: "repositories", body: `{"team/app":{"1.0":"1111","latest":"1111"},"localhost:5000/tool":{"2":"3333"}}`},
	}
	appManifest, appBlobs := app.ociManifest(t)
	toolManifest, toolBlobs := tool.ociManifest(t)
	named := func(name, tag string) map[string]string {
		return map[string]string{"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag}
	}
	blobs := slices.Concat([]member{{name: "blobs/"}, {name: "blobs/sha256/"}}, appBlobs, []member{{name: "oci-layout", body: `{"imageLayoutVersion":"1.0.0"}`}})
	since25 := slices.Concat(blobs, []member{
		indexOf(t, descriptor(appManifest, nil, named("docker.io/team/app:1.0", "1.0")), descriptor(appManifest, nil, named("docker.io/team/app:latest", "latest"))),
		{name: "manifest.json", body: encoded(t, []manifestEntry{{"blobs/sha256/" + hexOf(app.config), []string{"team/app:1.0", "team/app:latest"},
			[]string{"blobs/sha256/" + hexOf(base), "blobs/sha256/" + hexOf(app.layers[1])}}})},
		{name: "repositories", body: `{"team/app":{"1.0":"1111","latest":"1111"}}`},
	})
	var again []member // what tar -C DIR -cf FILE . makes of it, with two equal files linked
	for _, m := range legacy {
		if m.name = "./" + m.name; m.kind == tar.TypeSymlink {
			m.kind, m.link = tar.TypeLink, "./2222/layer.tar"
		}
		again = append(again, m)
	}
	both := []string{"docker.io/team/app:1.0", "docker.io/team/app:latest"}
	three := append(slices.Clone(both), "localhost:5000/tool:2")
	mine, other := ownPlatform(), v1.Platform{OS: "linux", Architecture: "s390x"}
	for _, c := range []struct {
		name    string
		members []member
		want    []string
		app     string // a name of the image app
	}{
		{"docker's, before 25", legacy, three, both[1]},
		{"docker's, before 25, packed again", again, three, both[1]},
		{"docker's, since 25", since25, both, both[1]},
		{"docker's, by id", []member{{name: "c.json", body: app.config}, {name: "a", body: base}, {name: "b", body: app.layers[1]},
			{name: "manifest.json", body: encoded(t, []manifestEntry{{"c.json", nil, []string{"a", "b"}}})}}, []string{app.id}, app.id},
		{"a layout, one image of two names", append(slices.Clone(blobs), indexOf(t,
			descriptor(appManifest, nil, named("docker.io/team/app:1.0", "1.0")), descriptor(appManifest, nil, named("docker.io/team/app:latest", "latest")))), both, both[0]},
		{"a layout of two platforms, with an attestation", slices.Concat(blobs, toolBlobs, []member{indexOf(t,
			descriptor(toolManifest, &other, named("docker.io/team/app:1.0", "1.0")),
			descriptor(appManifest, &mine, named("docker.io/team/app:1.0", "1.0")),
			descriptor(`{}`, &v1.Platform{OS: "unknown", Architecture: "unknown"}, nil))}), both[:1], both[0]},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := New(Config{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			names, err := s.Load(t.Context(), bytes.NewReader(tarOf(t, c.members...)))
			slices.Sort(names)
			if err != nil || !slices.Equal(names, c.want) {
				t.Fatalf("loaded %v, %v, want %v", names, err, c.want)
			}
			got, ok, err := s.Get(t.Context(), c.app)
			if err != nil || !ok || got.ID != app.id || got.Config.User != "app" {
				t.Errorf("%s: got %+v, %v, %v", c.app, got, ok, err)
			}
			if tags := fmt.Sprint(got.RepoTags); strings.HasPrefix(c.app, "docker.io") && c.want[len(c.want)-1] != both[0] && tags != fmt.Sprint(both) {
				t.Errorf("tags %s, want %v", tags, both)
			}
		})
	}
}

func TestLoadForAnotherPlatform(t *testing.T) {
	app := save(t, "app", string(tarOf(t, member{name: "f", body: "x"})))
	manifest, blobs := app.ociManifest(t)
	s, err := New(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	archive := tarOf(t, append(blobs, indexOf(t, descriptor(manifest, &v1.Platform{OS: "linux", Architecture: "s390x"}, nil)))...)
	if _, err := s.Load(t.Context(), bytes.NewReader(archive)); err == nil || !strings.Contains(err.Error(), "no image for platform linux/") {
		t.Errorf("got %v", err)
	}
}
