// Command surface prints the commands and flags of the real kustomize, one a line, as pkg/kustomize/command compares its
// own with them: write what it prints to pkg/kustomize/command/testdata/surface.txt.
package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"sigs.k8s.io/kustomize/kustomize/v5/commands"
)

func main() { walk(commands.NewDefaultCommand()) }

func walk(cmd *cobra.Command) {
	fmt.Print(cmd.CommandPath())
	for _, alias := range cmd.Aliases {
		fmt.Print(" alias=" + alias)
	}
	if args := strings.SplitN(cmd.Use, " ", 2); len(args) == 2 {
		fmt.Print(" use=" + args[1])
	}
	if cmd.Hidden {
		fmt.Print(" hidden")
	}
	if cmd.SilenceUsage {
		fmt.Print(" silent")
	}
	fmt.Println()
	flags := func(set *pflag.FlagSet) {
		set.VisitAll(func(f *pflag.Flag) {
			fmt.Printf("%s --%s -%s %s=%s hidden=%v deprecated=%q\n", cmd.CommandPath(), f.Name, f.Shorthand, f.Value.Type(), f.DefValue, f.Hidden, f.Deprecated)
		})
	}
	flags(cmd.LocalNonPersistentFlags())
	flags(cmd.PersistentFlags())
	for _, sub := range cmd.Commands() {
		walk(sub)
	}
}
