// Command suite runs upstream's own cases against our engine: those of krusty, and those of the filters behind the built-in
// plugins. It never edits a case: it builds a copy of upstream's module in which our engine stands where theirs did.
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

//go:embed kustomizer.go.txt
var kustomizer []byte

//go:embed plugintestenv.go.txt
var pluginEnv []byte

//go:embed filters.go.txt
var filters []byte

const upstream = "sigs.k8s.io/kustomize/api"

func main() {
	report := flag.String("o", "", "write the failures, grouped by cause, to this file")
	match := flag.String("run", "", "only the cases that match")
	plugins := flag.String("plugins", "plugins", "the plugin home of the cases with exec plugins")
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
	bin, err := compile(tmp, api)
	if err != nil {
		return err
	}
	if plugins, err = filepath.Abs(plugins); err != nil {
		return err
	}
	if err := helm(bin, match); err != nil {
		return err
	}
	if err := docker(bin); err != nil {
		return err
	}
	left, err := readExceptions()
	if err != nil {
		return err
	}
	all := newCases(left)
	for _, p := range packages {
		if err := all.execute(p, filepath.Join(bin, path.Base(p)+".test"), filepath.Join(api, p), match, plugins); err != nil {
			return err
		}
	}
	return all.report(report)
}

// docker builds what stands for docker in the cases with containers.
func docker(bin string) error {
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "docker"), "./docker").CombinedOutput(); err != nil {
		return fmt.Errorf("build the cases' docker: %w: %s", err, out)
	}
	return nil
}

// packages are upstream's with cases that have an output: all builds, and the filters behind the built-in plugins.
var packages = []string{
	"krusty", "filters/annotations", "filters/iampolicygenerator", "filters/imagetag", "filters/labels", "filters/namespace",
	"filters/patchjson6902", "filters/patchstrategicmerge", "filters/prefix", "filters/replacement", "filters/replicacount", "filters/suffix",
	"filters/valueadd",
}

// adapt puts our engine into the copy: behind krusty.Kustomizer, and behind the function that runs filters.
func adapt(api string) error {
	for name, content := range map[string][]byte{
		"krusty/kustomizer.go":                kustomizer,
		"testutils/kusttest/plugintestenv.go": pluginEnv,
		"testutils/filtertest/skiff.go":       filters,
	} {
		if err := os.WriteFile(filepath.Join(api, name), content, 0o644); err != nil {
			return err
		}
	}
	harness := filepath.Join(api, "testutils/filtertest/runfilter.go")
	source, err := os.ReadFile(harness)
	if err != nil {
		return err
	}
	renamed := bytes.Replace(source, []byte("\nfunc run("), []byte("\nfunc upstreamRun("), 1)
	if bytes.Equal(renamed, source) {
		return fmt.Errorf("%s has no function run", harness)
	}
	return os.WriteFile(harness, renamed, 0o644)
}

// compile builds the cases of the copy with our adapter beside them, one program for each package.
func compile(tmp, api string) (string, error) {
	if err := adapt(api); err != nil {
		return "", err
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
	bin := filepath.Join(tmp, "bin") + string(filepath.Separator)
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w -X " + upstream + "/provenance.version=(test)", "-mod=mod", "-modfile", modfile, "-o", bin}
	for _, p := range packages {
		args = append(args, upstream+"/"+p)
	}
	cmd := exec.Command("go", args...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build upstream's cases with our engine: %w", err)
	}
	return bin, nil
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

// execute runs the cases of a package.
func (c *cases) execute(name, binary, dir, match, plugins string) error {
	args := []string{"tool", "test2json", "-t", binary, "-test.v=test2json", "-test.timeout=9m"}
	if match != "" {
		args = append(args, "-test.run", match)
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PWD="+dir, "SUITE_PLUGINS="+plugins, "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local",
		"PATH="+filepath.Dir(binary)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(pipe)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				c.add(name, e)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	// A failed case is a failed command; the events have told already.
	_ = cmd.Wait()
	return nil
}
