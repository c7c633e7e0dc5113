package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/command"
)

// comparison is what all comparisons of a run share.
type comparison struct {
	real, cache, restrictor string
	// flags are more of build, which only our command knows, not our engine.
	flags   []string
	timeout time.Duration
}

type verdict string

const (
	identical  verdict = "identical"
	bothFail   verdict = "both fail"
	remote     verdict = "both fail for want of a network"
	different  verdict = "different"
	oursFails  verdict = "only ours fails"
	realFails  verdict = "only the real one fails"
	inconclude verdict = "the real one timed out"
)

// result is one directory's.
type result struct {
	dir     string
	verdict verdict
	// cause groups results, detail says what is wrong with this one.
	cause, detail string
}

func (c *comparison) compare(dir string) result {
	got, read, errOurs := c.ours(dir)
	want := c.fromReal(dir, read)
	r := result{dir: dir}
	switch {
	case want.timedOut:
		r.verdict = inconclude
	case want.failed && errOurs != nil:
		r.verdict = bothFail
		if wantsNetwork(want.stderr) {
			r.verdict = remote
		}
		r.detail = fmt.Sprintf("real: %s\nours: %v", want.stderr, errOurs)
	case want.failed:
		r.verdict, r.cause, r.detail = realFails, cause(want.stderr), "real: "+want.stderr
	case errOurs != nil:
		r.verdict, r.cause, r.detail = oursFails, cause(errOurs.Error()), fmt.Sprintf("ours: %v", errOurs)
	case bytes.Equal(want.stdout, got):
		r.verdict = identical
	default:
		r.verdict = different
		r.cause, r.detail = firstDifference(string(want.stdout), string(got))
	}
	return r
}

// wantsNetwork holds for the message of a build that could not reach a repository or a page.
func wantsNetwork(stderr string) bool {
	for _, sign := range []string{"git fetch", "git clone", "git submodule", "dial tcp", "no such host", "HTTP Error", "Could not resolve host", "status code"} {
		if strings.Contains(stderr, sign) {
			return true
		}
	}
	return false
}

// ours builds in this process and notes what it read.
func (c *comparison) ours(dir string) ([]byte, *recorder, error) {
	type built struct {
		out []byte
		err error
	}
	done := make(chan built, 1)
	rec := &recorder{FileSystem: kustomize.Disk()}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- built{err: fmt.Errorf("panic: %v", p)}
			}
		}()
		out, err := c.build(rec, dir)
		done <- built{out, err}
	}()
	select {
	case b := <-done:
		return b.out, rec, b.err
	case <-time.After(c.timeout):
		return nil, &recorder{}, fmt.Errorf("timed out after %s", c.timeout)
	}
}

func (c *comparison) build(fsys kustomize.FileSystem, dir string) ([]byte, error) {
	if len(c.flags) > 0 {
		return c.command(dir)
	}
	objects, err := kustomize.Build(fsys, dir, kustomize.Options{Unrestricted: c.restrictor == "LoadRestrictionsNone"})
	if err != nil {
		return nil, err
	}
	return kustomize.Write(objects)
}

// command builds as the program does.
func (c *comparison) command(dir string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	var out, errs bytes.Buffer
	if code := command.Run(ctx, c.args(dir), shell.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errs}); code != 0 {
		return nil, errors.New(strings.TrimSpace(errs.String()))
	}
	return out.Bytes(), nil
}
