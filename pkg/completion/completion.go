// Package completion implements "skiff completion": the script that lets a shell complete commands, flags and names.
package completion

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
)

var shells = map[string]func(root *cobra.Command, out io.Writer) error{
	"bash":       func(root *cobra.Command, out io.Writer) error { return root.GenBashCompletionV2(out, true) },
	"zsh":        genZsh,
	"fish":       func(root *cobra.Command, out io.Writer) error { return root.GenFishCompletion(out, true) },
	"powershell": func(root *cobra.Command, out io.Writer) error { return root.GenPowerShellCompletionWithDesc(out) },
}

// genZsh lets the script be sourced as well as autoloaded.
func genZsh(root *cobra.Command, out io.Writer) error {
	var script strings.Builder
	if err := root.GenZshCompletion(&script); err != nil {
		return err
	}
	name := root.Name()
	_, err := fmt.Fprintf(out, "%s\nif [ \"$funcstack[1]\" = \"_%s\" ]; then\n    _%s\nelse\n    compdef _%s %s\nfi\n",
		strings.TrimSuffix(script.String(), fmt.Sprintf("\n# don't run the completion function when being source-ed or eval-ed\nif [ \"$funcstack[1]\" = \"_%s\" ]; then\n    _%s\nfi\n", name, name)),
		name, name, name, name)
	return err
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
		Long: `Write the script with which bash, zsh, fish or powershell complete commands, flags and the names of objects. Sourced in a
shell it works there at once; written where the shell looks for such scripts, in every new one.`,
		Example: `
  # In this bash
  source <(skiff completion bash)

  # In every zsh
  skiff completion zsh > "${fpath[1]}/_skiff"

  # In every fish
  skiff completion fish > ~/.config/fish/completions/skiff.fish

  # In this powershell
  skiff completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: []string{"bash", "fish", "powershell", "zsh"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return cli.UsageErrorf(cmd, "Shell not specified.")
			case len(args) > 1:
				return cli.UsageErrorf(cmd, "Too many arguments. Expected only the shell type.")
			case shells[args[0]] == nil:
				return cli.UsageErrorf(cmd, "Unsupported shell type %q.", args[0])
			}
			return shells[args[0]](cmd.Root(), f.IO.Out)
		},
	}
}
