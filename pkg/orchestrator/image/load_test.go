package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func appendLayer(t testing.TB, img v1.Image, l v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(img, l)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestLoad(t *testing.T) {
	img := imageOf(t, gzipLayer(t, member{name: "f", body: "x"}))
	id, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("example.com/team/app:2")
	if err != nil {
		t.Fatal(err)
	}
	var docker bytes.Buffer
	if err := tarball.Write(tag, img, &docker); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(docker.Bytes())
	z.Close()
	for kind, archive := range map[string][]byte{"docker": docker.Bytes(), "docker, packed": packed.Bytes(),
		"layout": layoutTar(t, img, "example.com/team/app:2")} {
		s, err := New(Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		names, err := s.Load(t.Context(), bytes.NewReader(archive))
		if err != nil || !slices.Equal(names, []string{"example.com/team/app:2"}) {
			t.Errorf("%s: got %v, %v", kind, names, err)
		}
		got, ok, err := s.Get(t.Context(), "example.com/team/app:2")
		if err != nil || !ok || got.ID != id.String() || got.Config.User != "app" {
			t.Errorf("%s: got %+v, %v, %v", kind, got, ok, err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	s, err := New(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ body, want string }{
		{"no archive", "unexpected EOF"},
		{string(tarOf(t, member{name: "f", body: "x"})), "neither docker's"},
		{string(tarOf(t, member{name: "manifest.json", body: `[{"Config":"gone"}]`})), "the archive has no gone"},
		{string(tarOf(t, member{name: "manifest.json", body: "{"})), "decode manifest.json"},
	} {
		if _, err := s.Load(t.Context(), strings.NewReader(test.body)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(s.cfg.Dir, "tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context(), bytes.NewReader(layoutTar(t, imageOf(t, gzipLayer(t, member{name: "f", body: "x"})), "a.example/b:1"))); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"layers/0123456789abcdef0123/x", "tmp/layer.1/fs"} {
		if err := os.MkdirAll(filepath.Join(dir, p), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "mounts", "x.json"), []byte(`{"dir":"/gone"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = New(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"layers", "tmp", "mounts"} {
		left, _ := os.ReadDir(filepath.Join(dir, p))
		if want := map[string]int{"layers": 1}[p]; len(left) != want {
			t.Errorf("%s: %v", p, left)
		}
	}
	if _, ok, _ := s.Get(t.Context(), "a.example/b:1"); !ok {
		t.Error("the image is gone")
	}
}

func layoutTar(t testing.TB, img v1.Image, ref string) []byte {
	t.Helper()
	dir := t.TempDir()
	p, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = p.AppendImage(img, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref}))
	}
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An archive that does not arrive whole is refused with the cause, not for what it lacks.
func TestLoadCutShort(t *testing.T) {
	s, err := New(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the line went dead")
	if _, err := s.Load(t.Context(), iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	head := io.MultiReader(strings.NewReader(strings.Repeat("\x00", 4096)), iotest.ErrReader(broken))
	if _, err := s.Load(t.Context(), head); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if _, err := s.Load(t.Context(), strings.NewReader("FROM nothing")); err == nil || !strings.Contains(err.Error(), "no tar file") {
		t.Errorf("got %v", err)
	}
}
