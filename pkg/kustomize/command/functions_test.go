package command_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
	"github.com/kubeskiff/skiff/pkg/kustomize/command"
)

var update = flag.Bool("update", false, "rewrite the expected output; with KUSTOMIZE set to the real one, by it")

// TestFunctions builds each tree below testdata/kustomize/functions on the disk: programs run, and a docker of the tree's own
// stands for containers. A comment "flags: ..." adds flags; want.yaml must come out, or each line of want.err.
func TestFunctions(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/kustomize/functions/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { function(t, file) })
	}
}

func function(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"build", "--enable-alpha-plugins"}
	if flags, ok := strings.CutPrefix(string(a.Comment), "flags: "); ok {
		args = append(args, strings.Fields(flags)...)
	}
	dir, want := unpack(t, a)
	t.Setenv("KUSTOMIZE_PLUGIN_HOME", filepath.Join(dir, "plugins"))
	t.Setenv("PATH", filepath.Join(dir, "bin")+":/usr/bin:/bin")
	args = append(args, dir)
	var out, said bytes.Buffer
	cmd := command.NewRoot(shell.IOStreams{Out: &out, ErrOut: &said})
	cmd.SetArgs(args)
	cmd.SetErr(&said)
	err = cmd.Execute()
	if err != nil {
		err = errors.New(strings.ReplaceAll(said.String()+err.Error(), dir, "DIR"))
	}
	if *update {
		rewrite(t, file, a, args, out.String(), err)
		return
	}
	switch {
	case want["want.err"] == "" && err != nil:
		t.Fatal(err)
	case want["want.err"] == "":
		if got := out.String(); got != want["want.yaml"] {
			t.Errorf("got:\n%s\nwant:\n%s", got, want["want.yaml"])
		}
	case err == nil:
		t.Errorf("got no error, but:\n%s", out.String())
	default:
		for line := range strings.Lines(want["want.err"]) {
			if line = strings.TrimSpace(line); !strings.Contains(err.Error(), line) {
				t.Errorf("got error %q, want one with %q", err, line)
			}
		}
	}
}

// unpack writes a tree to the disk. What begins like a script can be executed.
func unpack(t *testing.T, a *txtar.Archive) (dir string, want map[string]string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want = map[string]string{}
	for _, f := range a.Files {
		if strings.HasPrefix(f.Name, "want.") {
			want[f.Name] = string(f.Data)
			continue
		}
		mode := os.FileMode(0o644)
		if bytes.HasPrefix(f.Data, []byte("#!")) {
			mode = 0o755
		}
		path := filepath.Join(dir, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Data, mode)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, want
}

func rewrite(t *testing.T, file string, a *txtar.Archive, args []string, out string, err error) {
	t.Helper()
	if real := os.Getenv("KUSTOMIZE"); real != "" {
		var said bytes.Buffer
		cmd := exec.Command(real, args...)
		cmd.Stderr = &said
		got, errReal := cmd.Output()
		if (errReal == nil) != (err == nil) {
			t.Errorf("the real one says %v %s, ours %v", errReal, said.String(), err)
			return
		}
		if errReal == nil && out != string(got) {
			t.Errorf("got:\n%s\nthe real one:\n%s", out, got)
			out = string(got)
		}
		if errReal != nil {
			t.Logf("ours: %v\nthe real one: %s", err, said.String())
		}
	}
	kept := a.Files[:0]
	for _, f := range a.Files {
		if !strings.HasPrefix(f.Name, "want.") {
			kept = append(kept, f)
		}
	}
	if err != nil {
		kept = append(kept, txtar.File{Name: "want.err", Data: []byte(strings.TrimSpace(err.Error()) + "\n")})
	} else {
		kept = append(kept, txtar.File{Name: "want.yaml", Data: []byte(out)})
	}
	a.Files = kept
	if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}
