package kustomize_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// TestBounds feeds what would take all time or memory: each ends with an error that says why, or with the right result.
func TestBounds(t *testing.T) {
	const head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'i'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	var nested strings.Builder
	for i := range 1000 {
		nested.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for name, c := range map[string]struct{ text, want string }{
		"aliases":          {head + bomb, "document has more than 1000000 values once its aliases are resolved"},
		"flow nesting":     {head + "data: " + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "\n", "exceeded max depth"},
		"block nesting":    {head + nested.String(), ""},
		"many values":      {strings.Repeat("---\n"+head+"x: [a, b, c, d, e, f, g, h, i, j, k, l, m, n]\n", 150_000), "the file has more than 2000000 values"},
		"odd and long":     {head + "data: {a: 'b\n" + strings.Repeat("\tx\n", 4<<20) + "'}\n", "not in plain block style"},
		"control":          {head + "data: {a: \"b\x00c\"}\n", "control characters are not allowed"},
		"no UTF-8":         {head + "data: {a: \"b\xff\"}\n", "UTF-8"},
		"byte order mark":  {"\ufeff" + head, ""},
		"long scalar":      {head + "data:\n  a: |\n" + strings.Repeat("    text\n", 1<<20), ""},
		"long plain lines": {head + "data:\n  a: b\n" + strings.Repeat("    text\n", 1<<18), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(kustomize.Memory(map[string]string{"/w/kustomization.yaml": "resources: [r.yaml]\n", "/w/r.yaml": c.text}), "/w")
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			checkError(t, err, c.want)
		})
	}
}

// TestLongCycle names one directory after the other until the first comes again.
func TestLongCycle(t *testing.T) {
	tree := map[string]string{}
	for i := range 1000 {
		tree[fmt.Sprintf("/w/d%d/kustomization.yaml", i)] = fmt.Sprintf("resources: [../d%d]\n", (i+1)%1000)
	}
	_, err := build(kustomize.Memory(tree), "/w/d0")
	checkError(t, err, "cycle detected")
}

// TestLongFile refuses a file that is too long before it is in memory.
// A file that is too large is said to be so, wherever a kustomization names it.
func TestLongFile(t *testing.T) {
	for long, kustomization := range map[string]string{
		"f":                  "configMapGenerator:\n- name: a\n  files: [f]\n",
		"resource.yaml":      "resources: [resource.yaml]\n",
		"kustomization.yaml": "",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(kustomization), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(filepath.Join(dir, long), os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(100<<20), f.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = build(kustomize.Disk(), dir)
		checkError(t, err, "read "+filepath.Join(dir, long)+": the file is too large: it has more than 64 MB")
	}
}
