package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// addTrace gives a command and all below it --stack-trace. Our errors carry what was being done, not addresses: the trace
// is these steps, one a line, the outermost first.
func (t tool) addTrace(cmd *cobra.Command) {
	on := cmd.PersistentFlags().Bool("stack-trace", false, "print the steps that led to an error, one a line")
	t.trace(cmd, on)
}

func (t tool) trace(cmd *cobra.Command, on *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			if err != nil && *on {
				writeTrace(t.ErrOut, err)
			}
			return err
		}
	}
	for _, sub := range cmd.Commands() {
		t.trace(sub, on)
	}
}

func writeTrace(w io.Writer, err error) {
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(w, "%T: %v\n", err, err)
	}
}
