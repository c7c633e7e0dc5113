package kustomize_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// seed gives a fuzz target the files of all golden cases.
func seed(f *testing.F, add func(name, data string)) {
	f.Helper()
	files, err := filepath.Glob("../../testdata/kustomize/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, each := range a.Files {
			add(filepath.Base(each.Name), string(each.Data))
		}
	}
}

// FuzzResource builds a file of any content: an error or an output that is its own input, never a panic.
func FuzzResource(f *testing.F) {
	seed(f, func(name, data string) {
		if name != "kustomization.yaml" {
			f.Add(data)
		}
	})
	f.Fuzz(func(t *testing.T, data string) {
		const k = "resources: [r.yaml]\nsortOptions: {order: fifo}\n"
		first, err := build(kustomize.Memory(map[string]string{"/w/kustomization.yaml": k, "/w/r.yaml": data}), "/w")
		// Notes of a past that a file brings are gone from the output, and with them what they excuse. An API version that is nothing
		// is written as null, which is refused as kustomize refuses it.
		if err != nil || len(first) == 0 || strings.Contains(data, "internal.config.kubernetes.io/") ||
			strings.Contains(string(first), "apiVersion: null\n") {
			return
		}
		again, err := build(kustomize.Memory(map[string]string{"/w/kustomization.yaml": k, "/w/r.yaml": string(first)}), "/w")
		if err != nil {
			t.Fatalf("the output is no input: %v\n%s", err, first)
		}
		if string(again) != string(first) {
			t.Errorf("built twice:\n%s\nonce:\n%s", again, first)
		}
	})
}

// FuzzKustomization builds with a kustomization of any content.
func FuzzKustomization(f *testing.F) {
	seed(f, func(name, data string) {
		if name == "kustomization.yaml" {
			f.Add(data)
		}
	})
	const r = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n---\n" +
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	f.Fuzz(func(t *testing.T, data string) {
		tree := map[string]string{"/w/kustomization.yaml": data}
		for _, name := range []string{"deployment.yaml", "service.yaml", "all.yaml", "patch.yaml"} {
			tree["/w/"+name] = strings.ReplaceAll(r, "web", strings.TrimSuffix(name, ".yaml"))
		}
		_, _ = build(kustomize.Memory(tree), "/w")
	})
}
