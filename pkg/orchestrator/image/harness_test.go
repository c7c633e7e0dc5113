package image

import (
	"archive/tar"
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

const insideEnv = "SKIFF_IMAGE_TEST_INSIDE"

// TestMain runs the tests again in network and mount namespaces of their own: nothing may reach a real registry, and
// overlays are not seen elsewhere. Without root only what needs none of it runs.
func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "\n*** NOT ROOT: no layer is unpacked or mounted. The tests of images prove little here; CI runs them as root. ***")
		flag.Parse()
		if err := flag.Set("test.run", "ParseReference|Credentials|Mirror"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	if os.Getenv(insideEnv) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			panic(err)
		}
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			panic(string(out))
		}
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// member is an entry of a layer; a name that ends with a slash is a directory.
type member struct {
	name, body, link string
	kind             byte
	mode             int64
	uid              int
	xattrs           map[string]string
	major, minor     int64
}

func tarOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{Name: m.name, Linkname: m.link, Typeflag: m.kind, Mode: m.mode, Uid: m.uid, Size: int64(len(m.body)),
			Devmajor: m.major, Devminor: m.minor, Format: tar.FormatPAX}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			if strings.HasSuffix(m.name, "/") {
				h.Typeflag = tar.TypeDir
			}
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		for k, v := range m.xattrs {
			if h.PAXRecords == nil {
				h.PAXRecords = map[string]string{}
			}
			h.PAXRecords["SCHILY.xattr."+k] = v
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipLayer(t testing.TB, members ...member) v1.Layer {
	t.Helper()
	body := tarOf(t, members...)
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// zstdLayer is packed as the library itself does not.
type zstdLayer struct {
	v1.Layer
	plain v1.Layer
}

func (z zstdLayer) DiffID() (v1.Hash, error) { return z.plain.DiffID() }

func newZstdLayer(t testing.TB, members ...member) v1.Layer {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := w.EncodeAll(tarOf(t, members...), nil)
	return zstdLayer{static.NewLayer(packed, types.OCILayerZStd), gzipLayer(t, members...)}
}

func imageOf(t testing.TB, layers ...v1.Layer) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	var err error
	for _, l := range layers {
		media, merr := l.MediaType()
		if merr != nil {
			t.Fatal(merr)
		}
		if img, err = mutate.Append(img, mutate.Addendum{Layer: l, MediaType: media}); err != nil {
			t.Fatal(err)
		}
	}
	if img, err = mutate.Config(img, v1.Config{User: "app", Cmd: []string{"/run"}, Env: []string{"A=b"}}); err != nil {
		t.Fatal(err)
	}
	return img
}

// served is a registry on the loopback that counts requests.
type served struct {
	*httptest.Server
	wrap func(http.Handler) http.Handler
	seen chan string
}

func newRegistry(t testing.TB, wrap func(http.Handler) http.Handler) *served {
	t.Helper()
	h := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := &served{seen: make(chan string, 10000)}
	counting := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.seen <- r.Method + " " + r.URL.Path
		h.ServeHTTP(w, r)
	})
	if wrap == nil {
		wrap = func(h http.Handler) http.Handler { return h }
	}
	s.Server = httptest.NewServer(wrap(counting))
	t.Cleanup(s.Close)
	return s
}

// requests gives what was asked since the last call, of those that contain part.
func (s *served) requests(part string) int {
	n := 0
	for {
		select {
		case r := <-s.seen:
			if strings.Contains(r, part) {
				n++
			}
		default:
			return n
		}
	}
}

func (s *served) push(t testing.TB, repository string, img v1.Image) {
	t.Helper()
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://")+"/"+repository, name.Insecure)
	if err == nil {
		err = remote.Write(ref, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.requests("")
}

func newStore(t testing.TB, dir string, r *served) *Store {
	t.Helper()
	s, err := New(Config{Dir: dir, Mirrors: map[string][]string{"docker.io": {r.URL}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
