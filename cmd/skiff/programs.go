package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// program finds skiffd or skiff-shim: unpacked from this file at first use, by content hash, so that versions live side by
// side; or beside this file, where a plain "go build" put it.
func program(name string) (string, error) {
	// skiffd looks for the shim beside itself, so both lie in one folder named for both.
	daemon, shim := carriedHash("skiffd"), carriedHash("skiff-shim")
	if daemon == "" {
		return beside(name)
	}
	dir, err := programDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, daemon[:16]+shim[:16])
	for _, each := range []string{"skiff-shim", "skiffd"} {
		if err := unpack(each, filepath.Join(dir, each)); err != nil {
			return "", fmt.Errorf("unpack %s: %w", each, err)
		}
	}
	return filepath.Join(dir, name), nil
}

func beside(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", name, err)
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("this build carries no %s, and there is none beside %s: build with \"make build\"", name, self)
	}
	return path, nil
}

// programDir is where unpacked programs are kept: the user's own, so that nobody else can put one there.
func programDir() (string, error) {
	if dir := os.Getenv("SKIFF_HOME"); dir != "" {
		return filepath.Join(dir, "programs"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/skiff/programs", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to unpack programs (set SKIFF_HOME to name one): %w", err)
	}
	return filepath.Join(cache, "skiff", "programs"), nil
}

// unpack writes a carried program to path, whole or not at all. One that is there already is left.
func unpack(name, path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	packed, err := carried(name)
	if err != nil {
		return err
	}
	defer packed.Close()
	r, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+name+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Chmod(0o755), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
