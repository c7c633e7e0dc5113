package image

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

func TestPull(t *testing.T) {
	ctx, r := t.Context(), newRegistry(t, nil)
	base := gzipLayer(t, member{name: "etc/"}, member{name: "etc/base", body: "base"})
	r.push(t, "library/one:1", imageOf(t, base, newZstdLayer(t, member{name: "one", body: "1"})))
	r.push(t, "library/two:1", imageOf(t, base, gzipLayer(t, member{name: "two", body: "2"})))
	dir := t.TempDir()
	s := newStore(t, dir, r)
	var told int64
	one, err := s.Pull(ctx, "one:1", nil, func(done, total int64) { told = total })
	if err != nil {
		t.Fatal(err)
	}
	if one.RepoTags[0] != "docker.io/library/one:1" || !strings.HasPrefix(one.RepoDigests[0], "docker.io/library/one@sha256:") ||
		one.Config.User != "app" || one.Config.Cmd[0] != "/run" || told != one.Size {
		t.Errorf("got %+v, told %d", one, told)
	}
	if n := r.requests("GET /v2/library/one/blobs"); n != 3 {
		t.Errorf("blobs of the first image: got %d, want 3", n)
	}
	if _, err := s.Pull(ctx, "docker.io/library/two:1", nil, nil); err != nil {
		t.Fatal(err)
	}
	if n := r.requests("GET /v2/library/two/blobs"); n != 2 {
		t.Errorf("blobs of the second image, which shares a layer: got %d, want 2", n)
	}
	// By digest, and found again by each of its names after a restart.
	if _, err := s.Pull(ctx, one.RepoDigests[0], nil, nil); err != nil {
		t.Fatal(err)
	}
	s = newStore(t, dir, r)
	for _, ref := range []string{"one:1", "docker.io/library/one:1", one.RepoDigests[0], one.ID, one.ID[7:], one.ID[7:19]} {
		if img, ok, err := s.Get(ctx, ref); err != nil || !ok || img.ID != one.ID {
			t.Errorf("get %s: %v, %v", ref, ok, err)
		}
	}
	root, err := s.Mount(ctx, "one:1", filepath.Join(dir, "m"))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"etc/base": "base", "one": "1"} {
		if body, err := os.ReadFile(filepath.Join(root, file)); err != nil || string(body) != want {
			t.Errorf("%s: %q, %v", file, body, err)
		}
	}
	if err := s.Remove(ctx, one.ID); !errors.Is(err, ErrInUse) {
		t.Errorf("remove a mounted image: got %v", err)
	}
	if err := s.Unmount(ctx, filepath.Join(dir, "m")); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(ctx, "one:1"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "layers")); len(left) != 2 {
		t.Errorf("layers after the removal: %v", left)
	}
	if all, _ := s.List(ctx); len(all) != 1 || all[0].RepoTags[0] != "docker.io/library/two:1" {
		t.Errorf("got %+v", all)
	}
}

func TestPullTogether(t *testing.T) {
	r := newRegistry(t, nil)
	r.push(t, "library/one:1", imageOf(t, gzipLayer(t, member{name: "f", body: strings.Repeat("x", 1<<20)})))
	s := newStore(t, t.TempDir(), r)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Pull(t.Context(), "one:1", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Some may have come after the pull was done, but the layer was fetched by one.
	if n := r.requests("GET /v2/library/one/blobs"); n > 1+8 {
		t.Errorf("got %d requests", n)
	}
	if left, _ := os.ReadDir(filepath.Join(s.cfg.Dir, "tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPullErrors(t *testing.T) {
	r := newRegistry(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			user, password, _ := q.BasicAuth()
			if strings.HasPrefix(q.URL.Path, "/v2/private/") && q.Method == http.MethodGet && (user != "me" || password != "secret") {
				w.WriteHeader(http.StatusUnauthorized)
				w.Write([]byte(`{"errors":[{"code":"UNAUTHORIZED","message":"log in first"}]}`))
				return
			}
			if q.URL.Path == "/v2/" {
				w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, q)
		})
	})
	open := newRegistry(t, nil)
	img := imageOf(t, gzipLayer(t, member{name: "f", body: "x"}))
	open.push(t, "library/one:1", img)
	host := strings.TrimPrefix(r.URL, "http://")
	s, err := New(Config{Dir: t.TempDir(), Mirrors: map[string][]string{"docker.io": {open.URL}, "bad.example": {"http://10.1.2.3"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		ref  string
		auth []container.RegistryAuth
		is   error
		want string
	}{
		{host + "/none:1", nil, ErrNotFound, `failed to pull and unpack image "` + host + `/none:1": failed to resolve reference "` + host + `/none:1": ` + host + `/none:1: not found`},
		{host + "/private/x:1", nil, ErrUnauthorized, "log in first"},
		{host + "/private/x:1", []container.RegistryAuth{{Registry: host, Username: "me", Password: "wrong"}}, ErrUnauthorized, "pull access denied"},
		{host + "/private/x:1", []container.RegistryAuth{{Registry: host, Username: "me", Password: "secret"}}, ErrNotFound, "not found"},
		{"library/none:1", nil, ErrNotFound, "docker.io/library/none:1: not found"},
		{"library/none:1", nil, nil, "docker.io could not be asked: "},
		{"bad.example/x:1", nil, nil, "plain http is for loopback addresses only"},
		{"UPPER:1", nil, nil, `couldn't parse image name "UPPER:1": invalid reference format`},
		{"127.0.0.1:1/x:1", nil, nil, "connection refused"},
	} {
		_, err := s.Pull(t.Context(), test.ref, test.auth, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || (test.is != nil && !errors.Is(err, test.is)) {
			t.Errorf("%s: got %v, want %q", test.ref, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Pull(ctx, "one:1", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if all, _ := s.List(t.Context()); len(all) != 0 {
		t.Errorf("got %v", all)
	}
}

// lying has a configuration that names another layer than the manifest does.
type lying struct {
	v1.Layer
	other v1.Layer
}

func (l lying) DiffID() (v1.Hash, error) { return l.other.DiffID() }

func TestPullVerifies(t *testing.T) {
	r := newRegistry(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method == http.MethodGet && strings.Contains(q.URL.Path, "/cut/blobs/") && q.Header.Get("X-Config") == "" {
				w = &cutter{ResponseWriter: w}
			}
			h.ServeHTTP(w, q)
		})
	})
	good := gzipLayer(t, member{name: "f", body: "x"})
	r.push(t, "library/lies:1", imageOf(t, lying{good, gzipLayer(t, member{name: "f", body: "y"})}))
	r.push(t, "library/cut:1", imageOf(t, good))
	s := newStore(t, t.TempDir(), r)
	for _, name := range []string{"lies:1", "cut:1"} {
		if _, err := s.Pull(t.Context(), name, nil, nil); err == nil {
			t.Errorf("%s was pulled", name)
		} else {
			t.Log(err)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(s.cfg.Dir, "layers")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// cutter changes the last byte of what is sent.
type cutter struct{ http.ResponseWriter }

func (c *cutter) Write(p []byte) (int, error) {
	p = append([]byte(nil), p...)
	p[len(p)-1] ^= 1
	return c.ResponseWriter.Write(p)
}
