package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/printers"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type canI struct {
	io                          cli.IOStreams
	client                      func() (*resource.Client, error)
	all, list, quiet, noHeaders bool
	subresource                 string

	verb, target string
}

var (
	resourceVerbs    = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "*", "approve", "sign", "escalate", "attest"}
	urlVerbs         = []string{"get", "put", "post", "head", "options", "delete", "patch", "*"}
	nonStandardNames = []string{"users", "groups"}
)

func newCanI(f *cli.Factory) *cobra.Command {
	c := &canI{io: f.IO, client: f.Client}
	cmd := &cobra.Command{
		Use:   "can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
		Short: "Check whether an action is allowed",
		Long: `Ask the server whether you may do something: VERB is get, list, watch, delete and the like, what follows a type, one object
of it, or a path such as /healthz. The answer is yes with exit code 0, or no with 1. --as asks for another.`,
		Example: `
  skiff auth can-i create pods --all-namespaces
  skiff auth can-i delete pod/redis
  skiff auth can-i get pods --subresource=log
  skiff auth can-i get /healthz
  skiff auth can-i --list --namespace=team-a`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.parse(args); err != nil {
				return err
			}
			return c.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.BoolVarP(&c.all, "all-namespaces", "A", false, "Ask for all namespaces.")
	fs.BoolVarP(&c.quiet, "quiet", "q", false, "Say nothing; the exit code is the answer.")
	fs.StringVar(&c.subresource, "subresource", "", "Subresource such as log or scale.")
	fs.BoolVar(&c.list, "list", false, "List all that is allowed in the namespace.")
	fs.BoolVar(&c.noHeaders, "no-headers", false, "Leave out the list's line of headers.")
	return cmd
}

func (c *canI) parse(args []string) error {
	if c.list {
		if len(args) != 0 {
			return errors.New("list option must be specified with no arguments")
		}
		if c.quiet || c.all || c.subresource != "" {
			return errors.New("list option can't be specified with neither quiet, all-namespaces nor subresource options")
		}
		return nil
	}
	if len(args) != 2 {
		return errors.New("you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.")
	}
	c.verb, c.target = args[0], args[1]
	if strings.HasPrefix(c.target, "/") && c.subresource != "" {
		return errors.New("--subresource can not be used with NonResourceURL")
	}
	if c.quiet {
		c.io.Out = io.Discard
	}
	return nil
}

func (c *canI) run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if c.list {
		return c.printRules(ctx, client)
	}
	spec, err := c.spec(ctx, client)
	if err != nil {
		return err
	}
	if c.noHeaders {
		return errors.New("--no-headers cannot be set without --list specified")
	}
	r := &authorizationv1.SelfSubjectAccessReview{Spec: spec}
	r.Kind, r.APIVersion = "SelfSubjectAccessReview", "authorization.k8s.io/v1"
	if err := review(ctx, client, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", r); err != nil {
		return err
	}
	if r.Status.Allowed {
		fmt.Fprintln(c.io.Out, "yes")
		return nil
	}
	answer := "no"
	for _, why := range []string{r.Status.Reason, r.Status.EvaluationError} {
		if why != "" {
			answer += " - " + why
		}
	}
	fmt.Fprintln(c.io.Out, answer)
	return cli.ErrExit
}

func (c *canI) warn(format string, args ...any) {
	fmt.Fprintf(c.io.ErrOut, "Warning: "+format+"\n\n", args...)
}

func (c *canI) spec(ctx context.Context, client *resource.Client) (s authorizationv1.SelfSubjectAccessReviewSpec, err error) {
	if strings.HasPrefix(c.target, "/") {
		if !slices.Contains(urlVerbs, c.verb) {
			c.warn("verb '%s' is not a known verb", c.verb)
		}
		s.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Verb: c.verb, Path: c.target}
		return s, nil
	}
	typ, name, _ := strings.Cut(c.target, "/")
	a := &authorizationv1.ResourceAttributes{Verb: c.verb, Resource: typ, Name: name, Subresource: c.subresource}
	if !c.all {
		a.Namespace = client.Namespace
	}
	s.ResourceAttributes = a
	if typ == "*" {
		return s, nil
	}
	mapper, err := client.Mapper(ctx)
	if err != nil {
		return s, err
	}
	m, err := mapper.ByArg(ctx, typ)
	if err != nil {
		if base, group, ok := strings.Cut(strings.ToLower(typ), "."); ok {
			c.warn("the server doesn't have a resource type '%s' in group '%s'", base, group)
		} else if !slices.Contains(nonStandardNames, base) {
			c.warn("the server doesn't have a resource type '%s'", base)
		}
	} else {
		a.Resource, a.Group = m.GVR.Resource, m.GVR.Group
		if !m.Namespaced && !c.all {
			if a.Group == "" {
				c.warn("resource '%s' is not namespace scoped", a.Resource)
			} else {
				c.warn("resource '%s' is not namespace scoped in group '%s'", a.Resource, a.Group)
			}
		}
	}
	if !c.all && !slices.Contains(resourceVerbs, c.verb) {
		c.warn("verb '%s' is not a known verb", c.verb)
	}
	return s, nil
}

// rule is one line of --list: verbs on one resource or path.
type rule struct {
	resource, urls, names string
	verbs                 []string
}

func (c *canI) printRules(ctx context.Context, client *resource.Client) error {
	r := &authorizationv1.SelfSubjectRulesReview{Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: client.Namespace}}
	r.Kind, r.APIVersion = "SelfSubjectRulesReview", "authorization.k8s.io/v1"
	if err := review(ctx, client, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", r); err != nil {
		return err
	}
	if r.Status.Incomplete {
		fmt.Fprintf(c.io.ErrOut, "Warning: the list may be incomplete: %v\n", r.Status.EvaluationError)
	}
	w := printers.NewTabWriter(c.io.Out)
	if !c.noHeaders {
		w.Row("Resources", "Non-Resource URLs", "Resource Names", "Verbs")
	}
	for _, rule := range compact(r.Status) {
		w.Row(rule.resource, rule.urls, rule.names, fmt.Sprint(rule.verbs))
	}
	return w.Flush()
}

// compact gathers the verbs of each resource, name and path.
func compact(status authorizationv1.SubjectRulesReviewStatus) []rule {
	var out []rule
	index := map[string]int{}
	add := func(res, urls, names string, verbs []string) {
		key := res + "\x00" + urls + "\x00" + names
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, rule{resource: res, urls: urls, names: names})
		}
		for _, v := range verbs {
			if !slices.Contains(out[i].verbs, v) {
				out[i].verbs = append(out[i].verbs, v)
			}
		}
	}
	for _, r := range status.ResourceRules {
		names := []string{"[]"}
		if len(r.ResourceNames) > 0 {
			names = nil
			for _, n := range r.ResourceNames {
				names = append(names, "["+n+"]")
			}
		}
		for _, group := range r.APIGroups {
			for _, res := range r.Resources {
				for _, n := range names {
					add(combine(res, group), "[]", n, r.Verbs)
				}
			}
		}
	}
	for _, r := range status.NonResourceRules {
		for _, u := range r.NonResourceURLs {
			add("", "["+u+"]", "[]", r.Verbs)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		if a, b := out[i].resource == "", out[j].resource == ""; a != b {
			return b
		}
		if out[i].resource != out[j].resource {
			return out[i].resource < out[j].resource
		}
		return out[i].urls < out[j].urls
	})
	return out
}

// combine writes a resource of a group: "deployments.apps", "pods/log".
func combine(resource, group string) string {
	if group == "" {
		return resource
	}
	base, sub, ok := strings.Cut(resource, "/")
	if ok {
		return base + "." + group + "/" + sub
	}
	return base + "." + group
}
