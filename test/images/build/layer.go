package build

import (
	"archive/tar"
	"bytes"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// layer collects files in order; a directory that was put before is kept as it is.
type layer struct {
	entries []entry
	seen    map[string]bool
}

type entry struct {
	header *tar.Header
	body   []byte
}

func newLayer() *layer { return &layer{seen: map[string]bool{}} }

func (l *layer) put(h *tar.Header, body []byte) {
	if l.seen[h.Name] {
		return
	}
	l.seen[h.Name] = true
	h.ModTime, h.AccessTime, h.ChangeTime = time.Unix(0, 0), time.Time{}, time.Time{}
	h.Uname, h.Gname, h.Format = "", "", tar.FormatPAX
	l.entries = append(l.entries, entry{h, body})
}

func (l *layer) dir(name string, mode int64) {
	l.put(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}, nil)
}

func (l *layer) file(name string, mode int64, body []byte) {
	l.put(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(body))}, body)
}

func (l *layer) link(name, target string) {
	l.put(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

// image makes the layer; the same files give the same bytes.
func (l *layer) image() (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range l.entries {
		if err := w.WriteHeader(e.header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
}
