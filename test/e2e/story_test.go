package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubeskiff/skiff/test/machine"
)

// TestStories runs each script of testdata/script/story twice, on a new cluster each time: with our kubectl, comparing the output
// of everything that only reads with the real one's to the byte, and with the real kubectl. What both said at each line must
// be the same, but for names, addresses and ages that differ from cluster to cluster.
func TestStories(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(machine.Root(), "testdata", "script", "story", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("find stories: %d, %v", len(scripts), err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			ours := play(t, script, filepath.Join(theMachine.Bin, "kubectl"), realKubectl)
			theirs := play(t, script, realKubectl, "")
			compareTranscripts(t, ours, theirs)
		})
	}
}

// play runs a script with kubectl as the program of that name and gives what it recorded.
func play(t *testing.T, script, kubectl, against string) *transcript {
	record := &transcript{against: against}
	name := "real"
	if against != "" {
		name = "ours"
	}
	t.Run(name, func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Files: []string{script}, RequireExplicitExec: true,
			Setup: func(env *testscript.Env) error { return furnish(env, kubectl) },
			Cmds:  map[string]func(*testscript.TestScript, bool, []string){"run": record.run, "until": until, "expect": expect},
			Condition: func(c string) (bool, error) {
				if c == "containers" {
					return true, nil
				}
				return false, fmt.Errorf("unknown condition %q", c)
			},
		})
	})
	return record
}

// furnish gives a script a home and a data directory of its own, and kubectl under that name.
func furnish(env *testscript.Env, kubectl string) error {
	home, data, bin := filepath.Join(env.WorkDir, ".home"), filepath.Join(env.WorkDir, ".skiff"), filepath.Join(env.WorkDir, ".bin")
	for _, dir := range []string{home, data, bin} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	config, err := os.ReadFile(filepath.Join(theMachine.Data(), "config.yaml"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(data, "config.yaml"), config, 0o600); err != nil {
		return err
	}
	if err := os.Symlink(kubectl, filepath.Join(bin, "kubectl")); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"HOME": home, "SKIFF_HOME": data, "PATH": bin + ":" + theMachine.Bin + ":" + os.Getenv("PATH"), "LANG": "C.UTF-8",
		"MANIFESTS": filepath.Join(machine.Root(), "testdata", "manifests"),
	} {
		env.Setenv(name, value)
	}
	// A script that fails leaves its cluster behind; one that passes has deleted it.
	vars := env.Vars
	env.Defer(func() {
		if clusters, _ := filepath.Glob(filepath.Join(data, "clusters", "*")); len(clusters) > 0 {
			cmd := theMachine.Command(context.Background(), "skiff", "cluster", "delete")
			cmd.Env = vars
			_ = cmd.Run() // what is left is found at the end
		}
	})
	if strings.HasPrefix(kubectl, theMachine.Bin) {
		return nil
	}
	// The real kubectl starts no cluster.
	return start(env)
}

func start(env *testscript.Env) error {
	cmd := theMachine.Command(env.T().(testing.TB).Context(), "skiff", "cluster", "start")
	cmd.Env = env.Vars
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("start a cluster for the real kubectl: %w\n%s", err, out)
	}
	return nil
}

// until repeats a command until it succeeds, for at most the given time: until 10s kubectl …
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until DURATION COMMAND …")
	}
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if err := ts.Exec(args[1], args[2:]...); err == nil {
			return
		} else if time.Now().After(deadline) {
			ts.Fatalf("not within %s: %v", limit, err)
		}
	}
}

// expect checks the value that a command printed: expect WANT COMMAND …
func expect(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: expect WANT COMMAND …")
	}
	ts.Check(ts.Exec(args[1], args[2:]...))
	if got := strings.TrimSpace(ts.ReadFile("stdout")); (got == args[0]) == neg {
		ts.Fatalf("got %q, want %q (not: %v)", got, args[0], neg)
	}
}
