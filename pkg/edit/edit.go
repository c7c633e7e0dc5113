// Package edit implements "skiff edit": change objects in an editor.
package edit

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/editor"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// Options are everything that edit goes by.
type Options struct {
	IO     cli.IOStreams
	Client func() (*resource.Client, error)
	Query  resource.Query
	Print  printers.Options
	Name   string // of the program, for advice

	OutputPatch, SaveConfig bool
	WindowsLineEndings      bool
	FieldManager            string
	Subresource             string

	validate, validation string
}

// NewCommand makes the command.
func NewCommand(f *cli.Factory) *cobra.Command {
	o := &Options{IO: f.IO, Client: f.Client, Name: f.Name}
	cmd := &cobra.Command{
		Use:   "edit (RESOURCE/NAME | -f FILENAME)",
		Short: "Edit a resource on the server",
		Long: `Open objects in your editor and send what you changed. The editor is that of KUBE_EDITOR or EDITOR, else vi (notepad on
Windows). If the server refuses a change the editor opens again with its reasons; a file without changes ends the edit. A
change that could not be sent is kept in a file.`,
		Example: `
  # One object
  skiff edit deployment/web

  # In another editor, as JSON
  KUBE_EDITOR="nano" skiff edit service/web -o json

  # Keep what was written in the last-applied annotation
  skiff edit deployment/web -o yaml --save-config`,
		ValidArgsFunction: cli.CompleteTypesAndNames(f, false),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Query.Args, o.Query.Latest = args, true
			o.Query.Subresource = o.Subresource
			if o.validation, err = cli.ParseValidate(o.validate); err != nil {
				return err
			}
			switch o.Print.Output {
			case "", "yaml", "json", "kyaml", "name":
			default:
				return fmt.Errorf("The flag 'output' must be one of yaml|json")
			}
			return o.Run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	o.Print.AddFlags(fs)
	o.Query.AddFileFlags(fs, "whose objects to edit")
	cli.AddValidateFlag(fs, &o.validate)
	cli.AddFieldManagerFlag(fs, &o.FieldManager, "kubectl-edit")
	cli.AddSubresourceFlag(fs, &o.Subresource, "Subresource to edit, such as status.")
	fs.BoolVar(&o.OutputPatch, "output-patch", false, "Print the patch that the edit became.")
	fs.BoolVar(&o.SaveConfig, "save-config", false, "Keep the object in its last-applied annotation.")
	fs.BoolVar(&o.WindowsLineEndings, "windows-line-endings", false, "Let the file to edit have Windows' line endings.")
	fs.Bool("record", false, "Of no effect any more.")
	fs.MarkHidden("record")
	return cmd
}

// Run edits the objects in one file.
func (o *Options) Run(ctx context.Context) error {
	client, err := o.Client()
	if err != nil {
		return err
	}
	objects, errs := client.All(ctx, o.Query)
	if len(errs) > 0 {
		return errs[0]
	}
	if len(objects) == 0 {
		return errors.New("edit cancelled, no objects found")
	}
	s := &session{Options: o, client: client, objects: objects}
	return s.run(ctx)
}

func (o *Options) editor() editor.Options {
	e := editor.Options{In: o.IO.In, Out: o.IO.Out, ErrOut: o.IO.ErrOut, WindowsLineEndings: o.WindowsLineEndings}
	if o.Print.Output == "json" {
		e.Suffix = ".json"
	}
	return e
}
