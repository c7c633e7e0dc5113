package create

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	authenticationv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type token struct {
	io                             cli.IOStreams
	client                         func() (*resource.Client, error)
	print                          printers.Options
	name                           string
	audiences                      []string
	duration                       time.Duration
	boundKind, boundName, boundUID string
}

// boundKinds are the kinds that a token can be bound to; all are of v1.
var boundKinds = []string{"Node", "Pod", "Secret"}

func newToken(f *cli.Factory) *cobra.Command {
	t := &token{io: f.IO, client: f.Client}
	cmd := &cobra.Command{
		Use:   "token SERVICE_ACCOUNT_NAME",
		Short: "Request a service account token",
		Long:  "Ask the server for a token of a service account and print it.",
		Example: `
  # A token of the account "robot"
  skiff create token robot

  # For ten minutes
  skiff create token robot --duration 10m

  # That ends with a pod
  skiff create token robot --bound-object-kind Pod --bound-object-name web-0`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     cli.CompleteNames(f, "serviceaccount"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if t.name, err = nameArg(cmd, args); err != nil {
				return err
			}
			if err := t.parse(); err != nil {
				return err
			}
			return t.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	t.print.AddFlags(fs)
	fs.StringArrayVar(&t.audiences, "audience", nil, "Whom the token is for; the API server by default. May be given more than once.")
	fs.DurationVar(&t.duration, "duration", 0, "How long the token should be valid. The server may choose otherwise.")
	fs.StringVar(&t.boundKind, "bound-object-kind", "", "Kind of an object that the token ends with: Node, Pod or Secret.")
	fs.StringVar(&t.boundName, "bound-object-name", "", "Name of that object.")
	fs.StringVar(&t.boundUID, "bound-object-uid", "", "UID of that object; that of the present one by default.")
	return cmd
}

func (t *token) parse() error {
	switch {
	case t.name == "":
		return fmt.Errorf("service account name is required")
	case t.duration < 0:
		return fmt.Errorf("--duration must be greater than or equal to 0")
	case t.duration%time.Second != 0:
		return fmt.Errorf("--duration cannot be expressed in units less than seconds")
	case slices.Contains(t.audiences, ""):
		return fmt.Errorf("--audience must not be an empty string")
	case t.boundKind == "" && t.boundName != "":
		return fmt.Errorf("--bound-object-name can only be set if --bound-object-kind is provided")
	case t.boundKind == "" && t.boundUID != "":
		return fmt.Errorf("--bound-object-uid can only be set if --bound-object-kind is provided")
	case t.boundKind != "" && !slices.Contains(boundKinds, t.boundKind):
		return fmt.Errorf("supported --bound-object-kind values are %s", strings.Join(boundKinds, ", "))
	case t.boundKind != "" && t.boundName == "":
		return fmt.Errorf("--bound-object-name is required if --bound-object-kind is provided")
	}
	return nil
}

func (t *token) run(ctx context.Context) error {
	client, err := t.client()
	if err != nil {
		return err
	}
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: t.audiences}}
	request.Kind, request.APIVersion = "TokenRequest", "authentication.k8s.io/v1"
	if t.duration > 0 {
		request.Spec.ExpirationSeconds = new(int64(t.duration / time.Second))
	}
	if t.boundKind != "" {
		request.Spec.BoundObjectRef = &authenticationv1.BoundObjectReference{Kind: t.boundKind, APIVersion: "v1", Name: t.boundName, UID: types.UID(t.boundUID)}
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	answer, err := client.Do(ctx, resource.Request{
		Method: http.MethodPost, Path: "/api/v1/namespaces/" + client.Namespace + "/serviceaccounts/" + t.name + "/token", Body: body,
		Resource: schema.GroupResource{Resource: "serviceaccounts"}, Name: t.name,
	})
	if err == nil {
		err = json.Unmarshal(answer, request)
	}
	if err != nil {
		return fmt.Errorf("failed to create token: %v", err)
	}
	if request.Status.Token == "" {
		return fmt.Errorf("failed to create token: no token in server response")
	}
	if t.print.Output != "" {
		printer, err := t.print.Printer("created")
		if err != nil {
			return err
		}
		return printer.Print(request, t.io.Out)
	}
	fmt.Fprint(t.io.Out, request.Status.Token)
	if cli.IsTerminal(t.io.Out) {
		fmt.Fprintln(t.io.Out)
	}
	return nil
}
