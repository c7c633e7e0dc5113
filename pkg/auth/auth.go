// Package auth implements "skiff auth": who one is to the server, and what one may do.
package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

// NewCommand makes the command with its subcommands.
func NewCommand(f *cli.Factory) *cobra.Command {
	return cli.Family("auth", "Inspect authorization", "Find out who you are to the server and what you may do.", newCanI(f), newWhoAmI(f))
}

// review posts a review and reads the answer back into it.
func review(ctx context.Context, client *resource.Client, path string, obj runtime.Object) error {
	body, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	answer, err := client.Do(ctx, resource.Request{Method: http.MethodPost, Path: path, Body: body})
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, obj)
}

func newWhoAmI(f *cli.Factory) *cobra.Command {
	var print printers.Options
	cmd := &cobra.Command{
		Use:   "whoami",
		Short: "Experimental: Check self subject attributes",
		Long:  "Show the user, groups and other attributes that the server sees you as.",
		Example: `
  skiff auth whoami
  skiff auth whoami -o json`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			printer, err := print.Printer("")
			if err != nil {
				return err
			}
			client, err := f.Client()
			if err != nil {
				return err
			}
			r := &authenticationv1.SelfSubjectReview{}
			r.Kind, r.APIVersion = "SelfSubjectReview", "authentication.k8s.io/v1"
			switch err := review(cmd.Context(), client, "/apis/authentication.k8s.io/v1/selfsubjectreviews", r); {
			case apierrors.IsForbidden(err):
				return errors.New("the selfsubjectreviews API is not enabled in the cluster or you do not have permission to call it")
			case apierrors.IsNotFound(err):
				return errors.New("the selfsubjectreviews API is not enabled in the cluster")
			case err != nil:
				return err
			}
			if print.Given() {
				return printer.Print(r, f.IO.Out)
			}
			return printUser(f.IO, r.Status.UserInfo)
		},
	}
	print.AddFlags(cmd.Flags())
	return cmd
}

func printUser(io cli.IOStreams, u authenticationv1.UserInfo) error {
	w := printers.NewTabWriter(io.Out)
	w.Row("ATTRIBUTE", "VALUE")
	if u.Username != "" {
		w.Row("Username", u.Username)
	}
	if u.UID != "" {
		w.Row("UID", u.UID)
	}
	if len(u.Groups) > 0 {
		w.Row("Groups", fmt.Sprint(u.Groups))
	}
	for _, key := range slices.Sorted(maps.Keys(u.Extra)) {
		w.Row("Extra: "+key, fmt.Sprint(u.Extra[key]))
	}
	return w.Flush()
}
