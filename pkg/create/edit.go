package create

import (
	"context"
	"fmt"

	"github.com/kubeskiff/skiff/pkg/editor"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// edit lets the user change the objects before they are created.
func (o *Options) edit(ctx context.Context, client *resource.Client) error {
	objects, errs := client.All(ctx, o.Query)
	if len(errs) > 0 {
		return errs[0]
	}
	text, err := resource.ToManifest(objects)
	if err != nil {
		return err
	}
	edited, err := editor.Edit(ctx, editor.Options{In: o.IO.In, Out: o.IO.Out, ErrOut: o.IO.ErrOut, WindowsLineEndings: o.windowsEndings}, text)
	if err != nil {
		return err
	}
	if edited == nil {
		fmt.Fprintln(o.IO.ErrOut, "Edit cancelled, no objects created.")
		return nil
	}
	changed, err := client.Parse(ctx, o.Query, edited, "edited-file")
	if err != nil {
		return err
	}
	for _, obj := range changed {
		obj.Source = ""
		if err := o.create(ctx, client, obj); err != nil {
			return err
		}
	}
	return nil
}
