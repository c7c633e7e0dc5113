package kustomize_test

import (
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

func TestURL(t *testing.T) {
	fs := kustomize.Memory(map[string]string{
		"/ok/kustomization.yaml":  "namePrefix: p-\nresources: [https://example.com/pod.yaml]\n",
		"/no/kustomization.yaml":  "resources: [https://example.com/none.yaml]\n",
		"/git/kustomization.yaml": "resources:\n- https://example.com/repo//dir?ref=v1\n",
	})
	get := func(url string) ([]byte, error) {
		switch {
		case strings.HasSuffix(url, "pod.yaml"):
			return []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"), nil
		case strings.Contains(url, "repo"):
			return []byte("<!DOCTYPE html>"), nil
		}
		return nil, &kustomize.StatusError{Code: 404, Text: "Not Found"}
	}
	objects, err := kustomize.Build(fs, "/ok", kustomize.Options{Get: get})
	if err != nil || len(objects) != 1 || objects[0].Name() != "p-a" {
		t.Errorf("got %v, %v", objects, err)
	}
	for dir, want := range map[string]string{"/no": "status code 404", "/git": "is a git repository"} {
		if _, err := kustomize.Build(fs, dir, kustomize.Options{Get: get}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", dir, err, want)
		}
	}
}
