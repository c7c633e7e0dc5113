// Command suite runs upstream's own krusty cases against our engine. It never edits a case: it builds a copy
// of upstream's module in which krusty.Kustomizer is our engine.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed kustomizer.go.txt
var kustomizer []byte

//go:embed plugintestenv.go.txt
var pluginEnv []byte

const upstream = "sigs.k8s.io/kustomize/api"

func main() {
	report := flag.String("o", "", "write the failures, grouped by cause, to this file")
	match := flag.String("run", "", "only the cases that match")
	plugins := flag.String("plugins", "", "upstream's plugin directory, for the cases with exec plugins")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*report, *match, *plugins); err != nil {
		log.Fatal("kustomize-suite: ", err)
	}
}

func run(report, match, plugins string) error {
	tmp, err := os.MkdirTemp("", "kustomize-suite-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", upstream).Output()
	if err != nil {
		return fmt.Errorf("find %s in the module cache: %w", upstream, err)
	}
	source := strings.TrimSpace(string(out))
	// The cases run in a copy: the module cache is read-only, and Go refuses to overlay it.
	api := filepath.Join(tmp, "kustomize", "api")
	if err := copyTree(source, api); err != nil {
		return err
	}
	binary, err := compile(tmp, api)
	if err != nil {
		return err
	}
	dir := filepath.Join(api, "krusty")
	if plugins == "" {
		plugins = filepath.Join(tmp, "kustomize", "plugin")
		if err := os.MkdirAll(plugins, 0o755); err != nil {
			return err
		}
	}
	cases, err := execute(binary, dir, match, plugins)
	if err != nil {
		return err
	}
	return cases.report(report)
}

// compile builds the cases of the copy with our adapter beside them.
func compile(tmp, api string) (string, error) {
	for name, content := range map[string][]byte{
		"krusty/kustomizer.go":                kustomizer,
		"testutils/kusttest/plugintestenv.go": pluginEnv,
	} {
		if err := os.WriteFile(filepath.Join(api, name), content, 0o644); err != nil {
			return "", err
		}
	}
	modfile := filepath.Join(tmp, "go.mod")
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("run the suite in its own directory: %w", err)
		}
		if err := os.WriteFile(filepath.Join(tmp, name), data, 0o644); err != nil {
			return "", err
		}
	}
	skiff, err := filepath.Abs("../../..")
	if err != nil {
		return "", err
	}
	edit := exec.Command("go", "mod", "edit", "-replace", "github.com/kubeskiff/skiff="+skiff, "-replace", upstream+"="+api, modfile)
	if out, err := edit.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go mod edit: %w: %s", err, out)
	}
	binary := filepath.Join(tmp, "krusty.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-X "+upstream+"/provenance.version=(test)", "-mod=mod", "-modfile", modfile, "-o", binary, upstream+"/krusty")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build upstream's cases with our engine: %w", err)
	}
	return binary, nil
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}

func execute(binary, dir, match, plugins string) (*cases, error) {
	args := []string{"tool", "test2json", "-t", binary, "-test.v=test2json", "-test.timeout=9m"}
	if match != "" {
		args = append(args, "-test.run", match)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "SUITE_PLUGINS="+plugins, "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := newCases()
	lines := bufio.NewReader(pipe)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				c.add(e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	// A failed case is a failed command; the events have told already.
	_ = cmd.Wait()
	return c, nil
}
