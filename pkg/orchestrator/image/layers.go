package image

import (
	"bufio"
	"compress/bzip2"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// layerName is a layer's directory. It is short, since the names of all layers of a mount must fit a page on kernels
// that know no better; 80 bits of a digest are not met twice by chance, and the digest is verified in full.
func layerName(diffID string) string {
	hex := strings.TrimPrefix(diffID, "sha256:")
	return hex[:min(len(hex), 20)]
}

func (s *Store) layerDir(diffID string) string {
	return filepath.Join(s.cfg.Dir, "layers", layerName(diffID))
}

func (s *Store) hasLayer(diffID string) bool {
	_, err := os.Lstat(s.layerDir(diffID))
	return err == nil
}

// removeLayer renames first, so that nothing half removed is ever taken for a layer.
func (s *Store) removeLayer(diffID string) error {
	gone, err := os.MkdirTemp(filepath.Join(s.cfg.Dir, "tmp"), "gone.")
	if err != nil {
		return err
	}
	if err := os.Rename(s.layerDir(diffID), filepath.Join(gone, "fs")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.RemoveAll(gone)
}

// ensureLayer unpacks a layer unless it is there. open gives its packed bytes.
func (s *Store) ensureLayer(ctx context.Context, diffID string, open func(context.Context) (io.ReadCloser, error)) error {
	if !strings.HasPrefix(diffID, "sha256:") || len(diffID) != len("sha256:")+64 {
		return fmt.Errorf("unsupported digest %q", diffID)
	}
	if s.hasLayer(diffID) {
		return nil
	}
	_, err := s.layers.do(ctx, diffID, func(ctx context.Context) (int64, error) {
		if s.hasLayer(diffID) {
			return 0, nil
		}
		return 0, s.unpackLayer(ctx, diffID, open)
	})
	return err
}

func (s *Store) unpackLayer(ctx context.Context, diffID string, open func(context.Context) (io.ReadCloser, error)) error {
	packed, err := open(ctx)
	if err != nil {
		return err
	}
	defer packed.Close()
	tmp, err := os.MkdirTemp(filepath.Join(s.cfg.Dir, "tmp"), "layer.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	fs := filepath.Join(tmp, "fs")
	if err := os.Mkdir(fs, 0o755); err != nil {
		return err
	}
	if err := unpackVerified(ctx, packed, fs, diffID); err != nil {
		return err
	}
	return os.Rename(fs, s.layerDir(diffID))
}

func unpackVerified(ctx context.Context, packed io.Reader, dir, diffID string) error {
	plain, err := decompress(&cancelReader{ctx, packed})
	if err != nil {
		return err
	}
	defer plain.Close()
	sum := sha256.New()
	r := newAhead(io.TeeReader(plain, sum))
	defer r.Close()
	if err := unpack(ctx, r, dir); err != nil {
		return err
	}
	// What follows the archive's end belongs to the digest, and reading it out makes the packed bytes be verified too.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, packed); err != nil {
		return err
	}
	if got := "sha256:" + hexSum(sum); got != diffID {
		return fmt.Errorf("wrong diff id calculated on extraction: got %s, want %s", got, diffID)
	}
	return nil
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// decompress looks at the first bytes: media types are not always told, nor always true.
func decompress(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 128<<10)
	head, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(head), "\x1f\x8b"):
		return gzip.NewReader(b)
	case strings.HasPrefix(string(head), "\x28\xb5\x2f\xfd"):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case strings.HasPrefix(string(head), "BZh"):
		return io.NopCloser(bzip2.NewReader(b)), nil
	}
	return io.NopCloser(b), nil
}
