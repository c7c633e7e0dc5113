package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// recorder hashes all that a build reads, so that the real one need not run again on the same input.
type recorder struct {
	kustomize.FileSystem
	mu  sync.Mutex
	sum map[string][sha256.Size]byte
}

func (r *recorder) ReadFile(path string) ([]byte, error) {
	data, err := r.FileSystem.ReadFile(path)
	text := data
	if err != nil {
		text = []byte("\x00error")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sum == nil {
		r.sum = map[string][sha256.Size]byte{}
	}
	r.sum[path] = sha256.Sum256(text)
	return data, err
}

func (r *recorder) into(h hash.Hash) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Maps print in the order of their keys.
	fmt.Fprintf(h, "%x", r.sum)
}

// output is what the real one said.
type output struct {
	stdout   []byte
	stderr   string
	failed   bool
	timedOut bool
}

// stored is an output on disk.
type stored struct {
	Stdout, Stderr string
	Failed         bool
}

func (c *comparison) fromReal(dir string, read *recorder) output {
	if len(c.flags) > 0 {
		return c.run(dir)
	}
	h := sha256.New()
	info, _ := os.Stat(c.real)
	if info != nil {
		fmt.Fprintln(h, info.Size(), info.ModTime())
	}
	fmt.Fprintln(h, dir, c.args(dir))
	read.into(h)
	path := filepath.Join(c.cache, hex.EncodeToString(h.Sum(nil)))
	var s stored
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &s) == nil {
		return output{stdout: []byte(s.Stdout), stderr: s.Stderr, failed: s.Failed}
	}
	o := c.run(dir)
	if o.timedOut {
		return o
	}
	data, err := json.Marshal(stored{string(o.stdout), o.stderr, o.failed})
	if err = errors.Join(err, os.MkdirAll(c.cache, 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		fmt.Fprintln(os.Stderr, "keep the result:", err)
	}
	return o
}

func (c *comparison) args(dir string) []string {
	return append([]string{"build", dir, "--load-restrictor", c.restrictor}, c.flags...)
}

func (c *comparison) run(dir string) output {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, c.real, c.args(dir)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
	err := cmd.Run()
	return output{stdout: out.Bytes(), stderr: strings.TrimSpace(errs.String()), failed: err != nil, timedOut: ctx.Err() != nil}
}
