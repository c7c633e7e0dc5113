package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestKustomizeDoc runs docs/kustomize.md: a block "```yaml PATH" is a file, and of a block "```console" the lines after "$ "
// are typed into one shell, the others are what has to come. A line "…" stands for any lines.
func TestKustomizeDoc(t *testing.T) {
	doc, err := filepath.Abs("../../docs/kustomize.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"git", "sh"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the document uses %s: %v", program, err)
		}
	}
	script := filepath.Join(t.TempDir(), "kustomize.txtar")
	if err := os.WriteFile(script, []byte("document "+filepath.ToSlash(doc)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files: []string{script}, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error { return setup(t, env) },
		Cmds:  map[string]func(*testscript.TestScript, bool, []string){"document": runDocument},
	})
}

func runDocument(ts *testscript.TestScript, _ bool, args []string) {
	data, err := os.ReadFile(args[0])
	ts.Check(err)
	sh := startShell(ts)
	defer sh.end()
	for _, block := range strings.Split(string(data), "\n```")[1:] {
		head, text, _ := strings.Cut(block, "\n")
		if path, ok := strings.CutPrefix(head, "yaml "); ok {
			path = ts.MkAbs(path)
			ts.Check(errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text+"\n"), 0o644)))
		}
		if head == "console" {
			sh.block(text)
		}
	}
}

// shell is one sh for a whole document, so that directories, variables and jobs last.
type shell struct {
	ts  *testscript.TestScript
	in  *bufio.Writer
	out *bufio.Scanner
	end func()
}

func startShell(ts *testscript.TestScript) *shell {
	cmd := exec.Command("sh")
	cmd.Dir = ts.Getenv("WORK")
	for _, name := range []string{"PATH", "HOME", "KUBECONFIG", "WORK"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	in, err := cmd.StdinPipe()
	ts.Check(err)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	cmd.Stderr = cmd.Stdout
	ts.Check(cmd.Start())
	s := &shell{ts: ts, in: bufio.NewWriter(in), out: bufio.NewScanner(out)}
	s.end = func() {
		in.Close()
		// The exit code is that of the last command, which has been judged.
		_ = cmd.Wait()
	}
	return s
}

func (s *shell) block(text string) {
	command, want := "", ""
	for line := range strings.Lines(text + "\n") {
		if next, ok := strings.CutPrefix(line, "$ "); ok {
			s.step(command, want)
			command, want = strings.TrimSpace(next), ""
		} else {
			want += line
		}
	}
	s.step(command, want)
}

// done is what the shell says after each command.
const done = "--- done ---"

func (s *shell) step(command, want string) {
	if command == "" {
		return
	}
	fmt.Fprintf(s.in, "%s\necho; echo '%s'\n", command, done)
	s.ts.Check(s.in.Flush())
	var got strings.Builder
	for s.out.Scan() && s.out.Text() != done {
		got.WriteString(s.out.Text() + "\n")
	}
	s.ts.Check(s.out.Err())
	if !sameText(got.String(), want) {
		s.ts.Fatalf("$ %s\n--- got\n%s--- want\n%s", command, got.String(), want)
	}
}

// sameText leaves out how far things are indented at the end of lines, and lets "…" stand for any lines.
func sameText(got, want string) bool {
	clean := func(s string) string {
		return strings.TrimSpace(regexp.MustCompile(`[ \t]+`).ReplaceAllString(s, " "))
	}
	pattern := regexp.QuoteMeta(clean(want) + "\n")
	pattern = strings.ReplaceAll(pattern, "…\n", `(?:.*\n)*?`)
	return regexp.MustCompile(`^` + strings.TrimSuffix(pattern, "\n") + `\n?$`).MatchString(clean(got) + "\n")
}
