// Command compare builds every kustomization below a directory with the real kustomize and with our engine, and says where
// the bytes differ. It is a tool of the tests and never part of the product.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

type result struct {
	dir           string
	verdict       string
	first, errors string
}

func main() {
	real := flag.String("kustomize", "kustomize", "the real kustomize")
	verbose := flag.Bool("v", false, "print each directory")
	jobs := flag.Int("j", 2, "builds at a time")
	flag.Parse()
	var dirs []string
	for _, root := range flag.Args() {
		dirs = append(dirs, find(root)...)
	}
	results := make([]result, len(dirs))
	var wg sync.WaitGroup
	gate := make(chan struct{}, *jobs)
	for i, dir := range dirs {
		wg.Add(1)
		gate <- struct{}{}
		go func() {
			defer wg.Done()
			results[i] = compare(*real, dir)
			<-gate
		}()
	}
	wg.Wait()
	count := map[string]int{}
	for _, r := range results {
		count[r.verdict]++
		if *verbose || r.verdict == "different" || r.verdict == "ours fails" || r.verdict == "only ours builds" {
			fmt.Printf("%s: %s\n%s%s", r.dir, r.verdict, r.first, r.errors)
		}
	}
	fmt.Printf("%d directories: identical %d, both fail %d, different %d, ours fails %d, only ours builds %d\n", len(dirs),
		count["identical"], count["both fail"], count["different"], count["ours fails"], count["only ours builds"])
	if count["identical"]+count["both fail"] < len(dirs) {
		os.Exit(1)
	}
}

func find(root string) []string {
	var dirs []string
	seen := map[string]bool{}
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		switch d.Name() {
		case "kustomization.yaml", "kustomization.yml", "Kustomization":
			if dir := filepath.Dir(path); !d.IsDir() && !seen[dir] {
				seen[dir] = true
				dirs = append(dirs, dir)
			}
		}
		return nil
	})
	return dirs
}

func compare(real, dir string) result {
	var out, errs bytes.Buffer
	cmd := exec.Command(real, "build", dir)
	cmd.Stdout, cmd.Stderr = &out, &errs
	errReal := cmd.Run()
	got, err := ours(dir)
	r := result{dir: dir}
	switch {
	case errReal != nil && err != nil:
		r.verdict = "both fail"
		r.errors = fmt.Sprintf("  real: %s\n  ours: %v\n", strings.TrimSpace(errs.String()), err)
	case errReal != nil:
		r.verdict = "only ours builds"
		r.errors = "  real: " + strings.TrimSpace(errs.String()) + "\n"
	case err != nil:
		r.verdict = "ours fails"
		r.errors = fmt.Sprintf("  ours: %v\n", err)
	case bytes.Equal(out.Bytes(), got):
		r.verdict = "identical"
	default:
		r.verdict = "different"
		r.first = firstDifference(out.String(), string(got))
	}
	return r
}

func ours(dir string) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	objects, err := kustomize.Build(kustomize.Disk(), dir, kustomize.Options{})
	if err != nil {
		return nil, err
	}
	return kustomize.Write(objects)
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	at := func(lines []string, i int) string {
		if i < len(lines) {
			return lines[i]
		}
		return "(end)"
	}
	for i := 0; i < len(w) || i < len(g); i++ {
		if at(w, i) != at(g, i) {
			return fmt.Sprintf("  line %d\n  want %q\n  got  %q\n", i+1, at(w, i), at(g, i))
		}
	}
	return ""
}
