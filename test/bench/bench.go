package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kubeskiff/skiff/test/machine"
)

const helloImage = "gcr.io/google-samples/node-hello:1.0"

// bench is one run of the program.
type bench struct {
	m       *machine.Machine
	real    string // the real kubectl; empty: there is none
	wanted  *regexp.Regexp
	runs    int
	short   bool
	samples map[string][]float64
}

func (b *bench) wants(names ...string) bool { return slices.ContainsFunc(names, b.wanted.MatchString) }

func (b *bench) add(name string, v float64) { b.samples[name] = append(b.samples[name], v) }

func (b *bench) addTime(name string, d time.Duration) {
	b.add(name, float64(d)/float64(time.Millisecond))
}

// begin starts the default cluster and gives a client of it.
func (b *bench) begin(ctx context.Context, flags ...string) (kubernetes.Interface, error) {
	if _, err := b.m.Must(ctx, "skiff", append([]string{"cluster", "start"}, flags...)...); err != nil {
		return nil, err
	}
	return b.client(ctx)
}

func (b *bench) end(ctx context.Context) error {
	_, err := b.m.Must(ctx, "skiff", "cluster", "delete")
	return err
}

// client speaks to the default cluster as its owner, as soon as it has a kubeconfig.
func (b *bench) client(ctx context.Context) (kubernetes.Interface, error) {
	path := filepath.Join(b.m.Cluster("skiff"), "kubeconfig")
	if err := until(ctx, time.Minute, time.Millisecond, func() (bool, error) {
		_, err := os.Stat(path)
		return err == nil, nil
	}); err != nil {
		return nil, fmt.Errorf("wait for the cluster's kubeconfig: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, err
	}
	config.QPS, config.ContentType = -1, runtime.ContentTypeProtobuf
	return kubernetes.NewForConfig(config)
}

// until asks again and again whether something is so.
func until(ctx context.Context, limit, every time.Duration, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %s", limit))
	defer cancel()
	for {
		if ok, err := ask(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// findKubectl finds the real kubectl to compare with.
func findKubectl(named string) string {
	for _, path := range []string{
		named, os.Getenv("KUBECTL"), filepath.Join(os.Getenv("PEERS"), "kubectl"), filepath.Join(machine.Root(), ".cache", "kubectl"),
	} {
		if info, err := os.Stat(path); err == nil && filepath.IsAbs(path) && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// copyPrograms copies skiff and its links below dir, in small pieces as cp and curl do: a file written in one piece lies in large pages,
// of which the kernel maps more for each page that a program touches.
func copyPrograms(from, dir string) (string, error) {
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return "", err
	}
	for _, link := range []string{"kubectl", "kustomize"} {
		if err := os.Symlink("skiff", filepath.Join(bin, link)); err != nil {
			return "", err
		}
	}
	source, err := os.Open(filepath.Join(from, "skiff"))
	if err != nil {
		return "", err
	}
	defer source.Close()
	target, err := os.OpenFile(filepath.Join(bin, "skiff"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return "", err
	}
	// Wrapped, so that the copy is not made by the kernel in one piece.
	_, err = io.Copy(struct{ io.Writer }{target}, struct{ io.Reader }{source})
	return bin, errors.Join(err, target.Close())
}
