package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type history struct {
	options
	print    printers.Options
	revision int64
}

func newHistory(f *cli.Factory) *cobra.Command {
	o := &history{}
	cmd := o.command(f, "history (TYPE NAME | TYPE/NAME) [flags]", "View rollout history", "List a workload's revisions, or show one.", `
  # All of them
  skiff rollout history deployment/web

  # One
  skiff rollout history deployment/web --revision=3`, o.parse, o.run)
	cmd.Flags().Int64Var(&o.revision, "revision", 0, "Revision to show with its pod template.")
	o.print.AddFlags(cmd.Flags())
	return cmd
}

func (o *history) parse(args []string) error {
	if err := o.options.parse(args); err != nil {
		return err
	}
	if o.revision < 0 {
		return fmt.Errorf("revision must be a positive integer: %v", o.revision)
	}
	_, err := o.print.Printer("")
	return err
}

func (o *history) run(ctx context.Context) error {
	_, err := o.each(ctx, func(client *resource.Client, obj *resource.Object) error { return o.one(ctx, client, obj) })
	return err
}

func (o *history) one(ctx context.Context, client *resource.Client, obj *resource.Object) error {
	typed, kind, err := obj.Typed()
	if err != nil {
		return err
	}
	if kind.Rollout == nil || kind.Rollout.History == nil {
		return unsupported(kind, "error retrieving history for", "no history viewer has been implemented for")
	}
	revisions, err := kind.Rollout.History(ctx, client, typed)
	if err != nil {
		return err
	}
	if o.print.Given() {
		return o.objects(revisions)
	}
	text, err := o.text(revisions)
	if err != nil {
		return err
	}
	with := ""
	if o.revision > 0 {
		with = fmt.Sprintf("with revision #%d", o.revision)
	}
	printer, err := o.print.Printer(with + "\n" + text)
	if err != nil {
		return err
	}
	return printer.Print(typed, o.io.Out)
}

var errNoRevision = errors.New("unable to find the specified revision")

// find gives the revision that was asked for.
func (o *history) find(revisions []api.Revision) (api.Revision, error) {
	i := slices.IndexFunc(revisions, func(r api.Revision) bool { return r.Number == o.revision })
	if i < 0 {
		return api.Revision{}, errNoRevision
	}
	return revisions[i], nil
}

// objects prints what holds the revisions.
func (o *history) objects(revisions []api.Revision) error {
	if o.revision > 0 {
		r, err := o.find(revisions)
		if err != nil {
			return err
		}
		revisions = []api.Revision{r}
	}
	printer, err := o.print.Printer("")
	if err != nil {
		return err
	}
	for _, r := range revisions {
		if err := setKind(r.Object); err != nil {
			return err
		}
		if err := printer.Print(r.Object, o.io.Out); err != nil {
			return err
		}
	}
	return nil
}

// setKind writes into an object from a list what it is.
func setKind(obj api.Object) error {
	kinds, _, err := resource.Scheme().ObjectKinds(obj)
	if err != nil {
		return err
	}
	obj.GetObjectKind().SetGroupVersionKind(kinds[0])
	return nil
}

// text lists the revisions, or shows the one that was asked for.
func (o *history) text(revisions []api.Revision) (string, error) {
	if len(revisions) == 0 {
		return "No rollout history found.", nil
	}
	if o.revision > 0 {
		r, err := o.find(revisions)
		if err != nil {
			return "", err
		}
		return templateText(r.Template), nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprint(w, "REVISION\tCHANGE-CAUSE\n")
	for _, r := range revisions {
		fmt.Fprintf(w, "%d\t%s\n", r.Number, api.None(r.ChangeCause))
	}
	err := w.Flush()
	return b.String(), err
}

// templateText is a pod template in words, with tabs as they are.
func templateText(t *corev1.PodTemplateSpec) string {
	var b strings.Builder
	core.DescribePodTemplate(api.NewPlainDescribeWriter(&b), t)
	return b.String()
}
