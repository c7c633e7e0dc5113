package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// StyleHelp gives a command tree kubectl's form of help and usage errors. name is what examples call the program.
func StyleHelp(root *cobra.Command, out io.Writer) {
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(cmd, out) })
	root.SetUsageFunc(func(cmd *cobra.Command) error { writeHelp(cmd, out); return nil })
	root.SetGlobalNormalizationFunc(underscores)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nSee '%s --help' for usage.", err, cmd.CommandPath())
	})
}

func writeHelp(cmd *cobra.Command, out io.Writer) {
	var b strings.Builder
	long := cmd.Long
	if long == "" {
		long = cmd.Short
	}
	program := cmd.Root().Name()
	b.WriteString(strings.TrimSpace(long) + "\n\n")
	if len(cmd.Aliases) > 0 {
		b.WriteString("Aliases:\n" + strings.Join(append([]string{cmd.Name()}, cmd.Aliases...), ", ") + "\n\n")
	}
	if cmd.Example != "" {
		b.WriteString("Examples:\n")
		for line := range strings.Lines(strings.Trim(cmd.Example, "\n")) {
			line = strings.TrimSpace(line)
			line = strings.ReplaceAll(" "+line, " skiff ", " "+program+" ")[1:]
			b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
		}
		b.WriteString("\n")
	}
	writeCommands(&b, cmd)
	if flags := visibleFlags(cmd); flags != "" {
		b.WriteString("Options:\n" + flags + "\n")
	}
	b.WriteString("Usage:\n  " + useLine(cmd) + "\n\n")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "Use \"%s <command> --help\" for more information about a given command.\n", cmd.CommandPath())
	}
	fmt.Fprintf(&b, "Use \"%s options\" for a list of global command-line options (applies to all commands).\n", program)
	io.WriteString(out, b.String())
}

func useLine(cmd *cobra.Command) string {
	if cmd.HasParent() {
		if cmd.Use == "" {
			return cmd.CommandPath()
		}
		line := cmd.Parent().CommandPath() + " " + cmd.Use
		if cmd.HasAvailableSubCommands() && !cmd.Runnable() {
			line += " [command]"
		} else if cmd.HasAvailableLocalFlags() && !strings.Contains(line, "[flags]") && !strings.Contains(line, "[options]") {
			line += " [options]"
		}
		return line
	}
	return cmd.CommandPath() + " [flags] [options]"
}

// writeCommands lists subcommands, by group where the tree has groups.
func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	write := func(title string, belongs func(*cobra.Command) bool) {
		var lines string
		for _, sub := range cmd.Commands() {
			if (sub.IsAvailableCommand() || sub.Name() == "help") && !sub.Hidden && belongs(sub) {
				lines += fmt.Sprintf("  %-16s%s\n", sub.Name(), sub.Short)
			}
		}
		if lines != "" {
			b.WriteString(title + "\n" + lines + "\n")
		}
	}
	if !cmd.HasAvailableSubCommands() {
		return
	}
	for _, g := range cmd.Groups() {
		write(g.Title, func(sub *cobra.Command) bool { return sub.GroupID == g.ID })
	}
	title := "Available Commands:"
	if len(cmd.Groups()) > 0 {
		title = "Other Commands:"
	}
	write(title, func(sub *cobra.Command) bool { return sub.GroupID == "" })
}

// visibleFlags lists a command's own flags; the global ones stand in `options`.
func visibleFlags(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return FlagsText(cmd.LocalFlags())
}

// FlagsText lists flags in kubectl's form.
func FlagsText(fs *pflag.FlagSet) string {
	var b strings.Builder
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value := f.DefValue
		switch f.Value.Type() {
		case "string":
			value = "'" + value + "'"
		case "moduleSpec":
			value = ""
		}
		short := ""
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		fmt.Fprintf(&b, "    %s--%s=%s:\n\t%s\n\n", short, f.Name, value, f.Usage)
	})
	return b.String()
}

// Family makes a command that is only the head of others.
func Family(use, short, long string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, DisableFlagsInUseLine: true}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			if err := cmd.Help(); err != nil {
				return err
			}
			return ErrExit
		}
		return UsageErrorf(cmd, "unknown command %q", strings.Join(args, " "))
	}
	cmd.AddCommand(subs...)
	return cmd
}
