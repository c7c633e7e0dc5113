package resource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// Query says which objects a command is about: by TYPE and NAME, by selector, or in files.
type Query struct {
	Args []string // TYPE, TYPE NAME…, TYPE/NAME…

	Filenames []string
	Kustomize string
	Recursive bool

	// Namespace to look in; empty means the client's.
	Namespace      string
	AllNamespaces  bool
	LabelSelector  string
	FieldSelector  string
	All            bool // every object of the TYPE
	IgnoreNotFound bool

	// ListAll lets a TYPE alone mean all of its objects (get, describe).
	ListAll bool
	// Latest reads objects that came from files from the server.
	Latest bool
	// NoObject gives objects by name without reading them.
	NoObject bool
	// Local speaks to no server: objects have no Mapping.
	Local bool
	// Validate refuses documents without kind or apiVersion the way validation does.
	Validate bool
	// SingleType allows one TYPE alone.
	SingleType bool
	ChunkSize  int64
	// Subresource to read objects through.
	Subresource string
}

// AddFileFlags declares -f, -k and -R. usage ends the sentence of -f: "to delete", "that hold the objects".
func (q *Query) AddFileFlags(fs *pflag.FlagSet, usage string) {
	fs.StringSliceVarP(&q.Filenames, "filename", "f", nil, "File, directory or URL with the manifests "+usage+".")
	fs.StringVarP(&q.Kustomize, "kustomize", "k", "", "Directory with a kustomization.yaml to render. Not together with -f or -R.")
	fs.BoolVarP(&q.Recursive, "recursive", "R", false, "Go through the directory of -f with all directories below it.")
}

// AddSelectorFlag declares -l.
func (q *Query) AddSelectorFlag(fs *pflag.FlagSet) {
	fs.StringVarP(&q.LabelSelector, "selector", "l", "", "Labels to select by: key=value, key!=value, 'key in (a,b)', 'key notin (a,b)', key, !key; joined by commas, all must hold.")
}

// AddFieldSelectorFlag declares --field-selector.
func (q *Query) AddFieldSelectorFlag(fs *pflag.FlagSet) {
	fs.StringVar(&q.FieldSelector, "field-selector", "", "Fields to select by: key=value, key!=value, joined by commas. The server knows a few fields of each type only.")
}

// AddNamespacesFlag declares -A.
func (q *Query) AddNamespacesFlag(fs *pflag.FlagSet) {
	fs.BoolVarP(&q.AllNamespaces, "all-namespaces", "A", false, "Go through all namespaces, whatever --namespace says.")
}

// AddChunkFlag declares --chunk-size.
func (q *Query) AddChunkFlag(fs *pflag.FlagSet) {
	fs.Int64Var(&q.ChunkSize, "chunk-size", 500, "How many objects to ask for in one request. 0 asks for all at once.")
}

// FromFiles tells whether objects come from -f or -k.
func (q *Query) FromFiles() bool { return len(q.Filenames) > 0 || q.Kustomize != "" }

// ErrNoResources is the mistake of naming nothing.
var ErrNoResources = errors.New(`You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`)

// ErrLocal is the mistake of naming objects on the server with --local.
var ErrLocal = errors.New(`error: you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'`)

var errMultipleTypes = errors.New("you may only specify a single resource type")

// Target is a thing to read: one object by name, or a list.
type Target struct {
	Mapping   *Mapping
	Namespace string
	Name      string // empty for a list
}

// typeName is one TYPE/NAME.
type typeName struct{ typ, name string }

// parsed is a Query's arguments, taken apart.
type parsed struct {
	types  []string
	names  []string
	tuples []typeName
}

// parseArgs takes arguments apart without knowing any type.
func parseArgs(args []string) (parsed, error) {
	var p parsed
	args = crossTypes(args)
	slashes := 0
	for _, a := range args {
		if strings.Contains(a, "/") {
			slashes++
		}
	}
	if slashes > 0 && slashes < len(args) {
		return p, fmt.Errorf("there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'")
	}
	for _, a := range args[:slashes] {
		seg := strings.Split(a, "/")
		if len(seg) != 2 {
			return p, fmt.Errorf("arguments in resource/name form may not have more than one slash")
		}
		if seg[0] == "" || seg[1] == "" || len(splitTypes(seg[0])) != 1 {
			return p, fmt.Errorf("arguments in resource/name form must have a single resource and name")
		}
		p.tuples = append(p.tuples, typeName{seg[0], seg[1]})
	}
	if slashes == 0 && len(args) > 0 {
		p.types, p.names = splitTypes(args[0]), args[1:]
	}
	return p, nil
}

// crossTypes turns "a,b x y" into a/x a/y b/x b/y.
func crossTypes(args []string) []string {
	if len(args) < 2 {
		return args
	}
	types := splitTypes(args[0])
	if len(types) < 2 {
		return args
	}
	var out []string
	for _, t := range types {
		for _, name := range args[1:] {
			out = append(out, t+"/"+name)
		}
	}
	return out
}

func splitTypes(arg string) []string {
	var out []string
	for _, t := range strings.Split(arg, ",") {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// HasNames tells whether arguments name single objects.
func HasNames(args []string) (bool, error) {
	p, err := parseArgs(args)
	return len(p.tuples) > 0 || len(p.names) > 0, err
}

// check finds contradictions that need no server.
func (q *Query) check() error {
	switch {
	case len(q.Filenames) > 0 && q.Kustomize != "":
		return fmt.Errorf("only one of -f or -k can be specified")
	case q.Kustomize != "" && q.Recursive:
		return fmt.Errorf("the -k flag can't be used with -f or -R")
	case q.All && strings.TrimSpace(q.LabelSelector) != "":
		return fmt.Errorf("setting 'all' parameter but found a non empty selector. ")
	case q.All && strings.TrimSpace(q.FieldSelector) != "":
		return fmt.Errorf("setting 'all' parameter but found a non empty selector. ")
	}
	return nil
}

// Targets resolves a Query's arguments. single says that exactly one object was asked for by name.
func (c *Client) Targets(ctx context.Context, q Query) (targets []Target, single bool, err error) {
	if err := q.check(); err != nil {
		return nil, false, err
	}
	p, err := parseArgs(q.Args)
	if err != nil {
		return nil, false, err
	}
	if len(p.types) == 0 && len(p.tuples) == 0 {
		if q.All || q.LabelSelector != "" || q.FieldSelector != "" {
			return nil, false, fmt.Errorf("at least one resource must be specified to use a selector")
		}
		return nil, false, ErrNoResources
	}
	mapper, err := c.Mapper(ctx)
	if err != nil {
		return nil, false, err
	}
	bySelector := q.All || q.LabelSelector != "" || q.FieldSelector != "" || (q.ListAll && len(p.types) > 0 && len(p.names) == 0)
	switch {
	case bySelector:
		targets, err = c.listTargets(ctx, mapper, q, p)
	case len(p.tuples) > 0:
		targets, err = c.tupleTargets(ctx, mapper, q, p)
	case len(p.names) > 0:
		targets, err = c.nameTargets(ctx, mapper, q, p)
	default:
		if _, err := c.mappings(ctx, mapper, q, p.types); err != nil {
			return nil, false, err
		}
		return nil, false, fmt.Errorf("resource(s) were provided, but no name was specified")
	}
	return targets, !bySelector && len(targets) == 1, err
}

func (c *Client) listTargets(ctx context.Context, m *Mapper, q Query, p parsed) ([]Target, error) {
	switch {
	case len(p.names) > 0:
		return nil, fmt.Errorf("name cannot be provided when a selector is specified")
	case len(p.tuples) > 0:
		return nil, fmt.Errorf("selectors and the all flag cannot be used when passing resource/name arguments")
	case q.Subresource != "":
		return nil, fmt.Errorf("subresource cannot be used when bulk resources are specified")
	}
	mappings, err := c.mappings(ctx, m, q, p.types)
	if err != nil {
		return nil, err
	}
	var out []Target
	for _, mapping := range mappings {
		out = append(out, Target{Mapping: mapping, Namespace: c.namespaceFor(q, mapping)})
	}
	return out, nil
}

func (c *Client) tupleTargets(ctx context.Context, m *Mapper, q Query, p parsed) ([]Target, error) {
	var out []Target
	for _, t := range p.tuples {
		mapping, err := m.ByArg(ctx, t.typ)
		if err != nil {
			return nil, err
		}
		if q.SingleType && len(out) > 0 && out[0].Mapping.GVR != mapping.GVR {
			return nil, errMultipleTypes
		}
		target, err := c.named(q, mapping, t.name)
		if err != nil {
			return nil, err
		}
		out = append(out, target)
	}
	return out, nil
}

func (c *Client) nameTargets(ctx context.Context, m *Mapper, q Query, p parsed) ([]Target, error) {
	mappings, err := c.mappings(ctx, m, q, p.types)
	if err != nil {
		return nil, err
	}
	if len(mappings) > 1 {
		return nil, fmt.Errorf("you must specify only one resource")
	}
	var out []Target
	for _, name := range p.names {
		target, err := c.named(q, mappings[0], name)
		if err != nil {
			return nil, err
		}
		out = append(out, target)
	}
	return out, nil
}

func (c *Client) named(q Query, m *Mapping, name string) (Target, error) {
	if m.Namespaced && q.AllNamespaces {
		return Target{}, fmt.Errorf("a resource cannot be retrieved by name across all namespaces")
	}
	return Target{Mapping: m, Namespace: c.namespaceFor(q, m), Name: name}, nil
}

func (c *Client) namespaceFor(q Query, m *Mapping) string {
	if !m.Namespaced || q.AllNamespaces {
		return ""
	}
	if q.Namespace != "" {
		return q.Namespace
	}
	return c.Namespace
}

// mappings resolves types, with categories such as "all" spread out, each once.
func (c *Client) mappings(ctx context.Context, m *Mapper, q Query, types []string) ([]*Mapping, error) {
	var out []*Mapping
	add := func(mapping *Mapping) {
		if !slices.ContainsFunc(out, func(o *Mapping) bool { return o.GVK == mapping.GVK }) {
			out = append(out, mapping)
		}
	}
	for _, t := range types {
		if members := m.Category(t); len(members) > 0 {
			for _, member := range members {
				add(member)
			}
			continue
		}
		mapping, err := m.ByArg(ctx, t)
		if err != nil {
			return nil, err
		}
		add(mapping)
	}
	if q.SingleType && (len(types) > 1 || len(out) > 1) {
		return nil, errMultipleTypes
	}
	return out, nil
}
