package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/test/machine"
)

// TestDocs runs every console block of README.md and docs/, in order, on one machine: lines after "$ " are typed, the others are what
// has to come, but for names, addresses and ages. A line "…" stands for any lines, "…" within one for any text.
// docs/kustomize.md needs no machine: cmd/skiff runs it.
func TestDocs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(machine.Root(), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "kustomize.md" })
	for _, file := range append([]string{filepath.Join(machine.Root(), "README.md")}, files...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range consoleSteps(string(data)) {
				r, err := theMachine.Run(t.Context(), "/bin/sh", "-c", step.command)
				if err != nil {
					t.Fatalf("%s: %v", step.command, err)
				}
				if got := r.Stderr + r.Stdout; !matches(got, step.want) {
					t.Fatalf("$ %s\n--- got\n%s--- want\n%s", step.command, got, step.want)
				}
			}
		})
	}
}

type step struct{ command, want string }

// consoleSteps reads the commands of all console blocks with what follows each.
func consoleSteps(text string) []step {
	var steps []step
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = strings.TrimSpace(line) == "```console"
		case inside && strings.HasPrefix(line, "$ "):
			steps = append(steps, step{command: strings.TrimSpace(line[2:])})
		case inside && len(steps) > 0:
			steps[len(steps)-1].want += line
		}
	}
	return steps
}

// hashes are pod template hashes, which depend on the images' names alone but are no reader's business.
var hashes = regexp.MustCompile(`-[0-9a-f]{8,10}-XXXXX`)

// matches holds what came against what a document says, both without what differs from run to run.
func matches(got, want string) bool {
	clean := func(s string) string {
		s = regexp.MustCompile(`starting the built-in cluster[^\n]*`).ReplaceAllString(s, "starting")
		s = hashes.ReplaceAllString(stable(s), "-HASH")
		return strings.TrimSpace(regexp.MustCompile(`[ \t]+`).ReplaceAllString(s, " "))
	}
	pattern := regexp.QuoteMeta(clean(want))
	pattern = strings.ReplaceAll(strings.ReplaceAll(pattern, "…\n", ".*"), "…", ".*")
	return regexp.MustCompile(`(?s)^` + pattern + `$`).MatchString(clean(got))
}
