package main

import (
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

// runPlugin executes kubectl-NAME from PATH for a command that the tree does not have, as kubectl does: of several names
// that fit, the longest wins; dashes in words become underscores.
func runPlugin(root *cobra.Command, args []string) (done bool, err error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], "__complete") {
		return false, nil
	}
	if cmd, _, err := root.Find(args); err == nil && cmd != root {
		return false, nil
	}
	var words []string
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			break
		}
		words = append(words, strings.ReplaceAll(a, "-", "_"))
	}
	for n := len(words); n > 0; n-- {
		path, err := exec.LookPath("kubectl-" + strings.Join(words[:n], "-"))
		if err != nil {
			continue
		}
		return true, execute(path, args[n:])
	}
	return false, nil
}

func environ() []string { return os.Environ() }
