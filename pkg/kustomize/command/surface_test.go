package command

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/cli/shell"
)

// own are the commands and flags that kustomize does not have.
var own = []string{"kustomize diff", "kustomize explain", "kustomize schema", "kustomize build --watch"}

// left are those of kustomize that we do not have: functions run by themselves, and the manual of how to write them.
var left = []string{"kustomize fn", "kustomize docs-", "kustomize tutorials-"}

// TestSurface compares every command and flag, hidden ones too, with kustomize's: testdata/surface.txt is what
// test/kustomize/surface prints.
func TestSurface(t *testing.T) {
	golden, err := os.ReadFile("testdata/surface.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	walk(NewRoot(shell.IOStreams{In: strings.NewReader(""), Out: io.Discard, ErrOut: io.Discard}), func(line string) {
		if !begins(line, own) {
			got = append(got, line)
		}
	})
	var want []string
	for line := range strings.Lines(string(golden)) {
		if line = strings.TrimSuffix(line, "\n"); !begins(line, left) {
			want = append(want, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("kustomize has, and we have not: %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("we have, and kustomize has not: %s", line)
		}
	}
}

func begins(line string, list []string) bool {
	return slices.ContainsFunc(list, func(prefix string) bool { return strings.HasPrefix(line, prefix) })
}

// walk tells of every command and flag, as test/kustomize/surface prints them.
func walk(cmd *cobra.Command, tell func(line string)) {
	line := cmd.CommandPath()
	for _, alias := range cmd.Aliases {
		line += " alias=" + alias
	}
	if _, args, ok := strings.Cut(cmd.Use, " "); ok {
		line += " use=" + args
	}
	if cmd.Hidden {
		line += " hidden"
	}
	if cmd.SilenceUsage {
		line += " silent"
	}
	tell(line)
	flag := func(f *pflag.Flag) {
		tell(fmt.Sprintf("%s --%s -%s %s=%s hidden=%v deprecated=%q", cmd.CommandPath(), f.Name, f.Shorthand, f.Value.Type(), f.DefValue, f.Hidden, f.Deprecated))
	}
	cmd.LocalNonPersistentFlags().VisitAll(flag)
	cmd.PersistentFlags().VisitAll(flag)
	for _, sub := range cmd.Commands() {
		walk(sub, tell)
	}
}
