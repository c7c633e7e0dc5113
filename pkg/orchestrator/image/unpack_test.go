package image

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUnpackForms(t *testing.T) {
	dir := t.TempDir()
	body := tarOf(t,
		member{name: "d/", mode: 0o1777, uid: 7},
		member{name: "d/.wh.gone"},
		member{name: "d/o/.wh..wh..opq"},
		member{name: "d/o/kept", body: "kept"},
		member{name: "file", body: "body", mode: 0o4755, uid: 1000, xattrs: map[string]string{"user.note": "hi", "trusted.overlay.redirect": "/etc"}},
		member{name: "hard", kind: tar.TypeLink, link: "file"},
		member{name: "soft", kind: tar.TypeSymlink, link: "/etc/passwd"},
		member{name: "null", kind: tar.TypeChar, major: 1, minor: 3, mode: 0o666},
		member{name: "twice", body: "first"},
		member{name: "twice", body: "second"},
		member{name: "deep/er/still", body: "no parents listed"},
		member{name: "lib", kind: tar.TypeSymlink, link: "/usr/lib"},
		member{name: "usr/lib/"},
		member{name: "lib/x.so", body: "through a link"},
	)
	if err := unpack(t.Context(), bytes.NewReader(body), dir); err != nil {
		t.Fatal(err)
	}
	stat := func(p string) (st unix.Stat_t) {
		t.Helper()
		if err := unix.Lstat(filepath.Join(dir, p), &st); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		return st
	}
	if st := stat("d"); st.Mode&0o7777 != 0o1777 || st.Uid != 7 || st.Mtim.Sec != 0 {
		t.Errorf("directory: %+v", st)
	}
	if st := stat("d/gone"); st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != 0 {
		t.Errorf("whiteout: %+v", st)
	}
	value := make([]byte, 8)
	if n, err := unix.Lgetxattr(filepath.Join(dir, "d/o"), "trusted.overlay.opaque", value); err != nil || string(value[:n]) != "y" {
		t.Errorf("opaque: %q, %v", value, err)
	}
	if st := stat("file"); st.Mode&0o7777 != 0o4755 || st.Uid != 1000 || st.Nlink != 2 {
		t.Errorf("file: %+v", st)
	}
	if n, err := unix.Lgetxattr(filepath.Join(dir, "file"), "user.note", value); err != nil || string(value[:n]) != "hi" {
		t.Errorf("attribute: %q, %v", value, err)
	}
	if _, err := unix.Lgetxattr(filepath.Join(dir, "file"), "trusted.overlay.redirect", value); err != unix.ENODATA {
		t.Errorf("an attribute of overlayfs was taken over: %v", err)
	}
	if st := stat("null"); st.Rdev != unix.Mkdev(1, 3) {
		t.Errorf("device: %+v", st)
	}
	for p, want := range map[string]string{"twice": "second", "deep/er/still": "no parents listed", "usr/lib/x.so": "through a link"} {
		if got, err := os.ReadFile(filepath.Join(dir, p)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", p, got, err)
		}
	}
}

func TestUnpackStaysInside(t *testing.T) {
	outside := t.TempDir()
	for name, members := range map[string][]member{
		"dots":                {{name: "../../escape", body: "x"}},
		"absolute":            {{name: outside + "/escape", body: "x"}},
		"link to a directory": {{name: "out", kind: tar.TypeSymlink, link: outside}, {name: "out/escape", body: "x"}},
		"link up":             {{name: "out", kind: tar.TypeSymlink, link: "../../../../../.." + outside}, {name: "out/escape", body: "x"}},
		"link to a file":      {{name: "f", kind: tar.TypeSymlink, link: outside + "/escape"}, {name: "f", body: "x"}},
		"hard link":           {{name: "h", kind: tar.TypeLink, link: "../../../../etc/passwd"}},
		"whiteout":            {{name: "out", kind: tar.TypeSymlink, link: outside}, {name: "out/.wh.kept"}},
		"whiteout of dots":    {{name: "d/.wh..", body: ""}},
		"false whiteout":      {{name: "null", kind: tar.TypeChar}},
		"removal by link":     {{name: "out", kind: tar.TypeSymlink, link: outside}, {name: "out/"}, {name: "out", body: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			kept := filepath.Join(outside, "kept")
			if err := os.WriteFile(kept, []byte("kept"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := unpack(t.Context(), bytes.NewReader(tarOf(t, members...)), t.TempDir())
			t.Log(err)
			if entries, _ := os.ReadDir(outside); len(entries) != 1 {
				t.Errorf("it escaped: %v", entries)
			}
			if body, err := os.ReadFile(kept); err != nil || string(body) != "kept" {
				t.Errorf("it reached outside: %q, %v", body, err)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(tarOf(f, member{name: "a/b", body: "x"}, member{name: "a", kind: tar.TypeSymlink, link: "/"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		_ = unpack(t.Context(), bytes.NewReader(body), t.TempDir())
	})
}

func TestMountManyLayers(t *testing.T) {
	r := newRegistry(t, nil)
	layers := make([]member, 0, 100)
	for i := range 100 {
		layers = append(layers, member{name: "f" + strings.Repeat("x", i), body: "x"})
	}
	img := imageOf(t)
	for _, l := range layers {
		img = appendLayer(t, img, gzipLayer(t, l))
	}
	r.push(t, "library/deep:1", img)
	dir := t.TempDir()
	s := newStore(t, dir, r)
	if _, err := s.Pull(t.Context(), "deep:1", nil, nil); err != nil {
		t.Fatal(err)
	}
	rec := s.index.find("deep:1")
	var names []string
	for _, l := range rec.Layers {
		names = append([]string{layerName(l.DiffID)}, names...)
	}
	for name, mount := range map[string]func([]string, string, string, string) error{"new": s.mountNew, "old": s.mountOld} {
		m := filepath.Join(dir, name)
		for _, d := range []string{"upper", "work", "rootfs"} {
			if err := os.MkdirAll(filepath.Join(m, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := mount(names, filepath.Join(m, "upper"), filepath.Join(m, "work"), filepath.Join(m, "rootfs")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if entries, err := os.ReadDir(filepath.Join(m, "rootfs")); err != nil || len(entries) != 100 {
			t.Errorf("%s: %d files, %v", name, len(entries), err)
		}
		if err := s.Unmount(t.Context(), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhiteoutsShow(t *testing.T) {
	r := newRegistry(t, nil)
	r.push(t, "library/w:1", imageOf(t,
		gzipLayer(t, member{name: "gone", body: "x"}, member{name: "d/"}, member{name: "d/old", body: "x"}),
		gzipLayer(t, member{name: ".wh.gone"}, member{name: "d/"}, member{name: "d/.wh..wh..opq"}, member{name: "d/new", body: "y"})))
	dir := t.TempDir()
	s := newStore(t, dir, r)
	if _, err := s.Pull(t.Context(), "w:1", nil, nil); err != nil {
		t.Fatal(err)
	}
	root, err := s.Mount(t.Context(), "w:1", filepath.Join(dir, "m"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Unmount(t.Context(), filepath.Join(dir, "m"))
	got, err := filepath.Glob(root + "/*/*")
	if err != nil || len(got) != 1 || filepath.Base(got[0]) != "new" {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := os.Lstat(root + "/gone"); err == nil {
		t.Error("gone is there")
	}
}
