package build

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// TestServe has an image of the layout pulled from the registry; making the real ones needs apt's archive.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	l := newLayer()
	l.dir("etc", 0o755)
	l.file("etc/motd", 0o644, []byte("hello"))
	l.file("etc/motd", 0o644, []byte("the first one counts"))
	l.link("motd", "/etc/motd")
	img, err := compose(v1.Config{Cmd: []string{"/run"}}, l)
	if err != nil {
		t.Fatal(err)
	}
	p, err := layout.Write(layoutDir(dir), empty.Index)
	if err == nil {
		err = p.AppendImage(img, layout.WithAnnotations(map[string]string{nameAnnotation: "docker.io/library/tiny:1"}))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := All(t.Context(), dir); err != nil {
		t.Fatalf("images that are there were made again: %v", err)
	}
	r, err := Serve(t.Context(), dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if r.Mirrors()["docker.io"][0] != r.URL {
		t.Errorf("mirrors: %v", r.Mirrors())
	}
	tag, err := name.NewTag(strings.TrimPrefix(r.URL, "http://")+"/library/tiny:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	got, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	want, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if digest, err := got.Digest(); err != nil || digest != want {
		t.Errorf("got %v, %v; want %v", digest, err, want)
	}
	if blobs, err := os.ReadDir(dir + "/blobs"); err != nil || len(blobs) == 0 {
		t.Errorf("blobs on disk: %v, %v", blobs, err)
	}
}
