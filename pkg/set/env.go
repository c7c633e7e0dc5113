package set

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/resource"
)

type env struct {
	options
	params, keys             []string
	containers, from, prefix string
	list, resolve, overwrite bool
}

func newEnv(f *cli.Factory) *cobra.Command {
	o := &env{options: options{done: "env updated", failure: "failed to patch env update to pod template:"}}
	cmd := o.command(f, &cobra.Command{
		Use:   "env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N",
		Short: "Update environment variables on a pod template",
		Long: `Set environment variables of containers with KEY=VALUE and remove them with KEY-, or list them. With "-" they are read from
stdin, one a line.`,
		Example: `
  # Set
  skiff set env deployment/web MODE=fast

  # Remove
  skiff set env deployment/web MODE-

  # List
  skiff set env deployment/web --list

  # From a config map or secret
  skiff set env --from=configmap/settings --prefix=APP_ deployment/web
  skiff set env --from=secret/login --keys=password deployment/web

  # From the shell's own
  env | grep RAILS_ | skiff set env -e - deployment/web`,
	}, o.run)
	fs := cmd.Flags()
	o.query.AddSelectorFlag(fs)
	fs.StringVarP(&o.containers, "containers", "c", "*", "Names of the containers, in which * stands for anything.")
	fs.StringVar(&o.from, "from", "", "Config map or secret (TYPE/NAME) whose keys become variables.")
	fs.StringVar(&o.prefix, "prefix", "", "Text before the names of the variables.")
	fs.StringArrayVarP(&o.params, "env", "e", nil, "A variable: KEY=VALUE, KEY- or -.")
	fs.StringSliceVar(&o.keys, "keys", nil, "Keys of --from to take, by comma; all by default.")
	fs.BoolVar(&o.list, "list", false, "Show the variables instead of changing them.")
	fs.BoolVar(&o.resolve, "resolve", false, "With --list, show the values that variables have from config maps and secrets.")
	fs.BoolVar(&o.overwrite, "overwrite", true, "Change variables that have a value.")
	return cmd
}

func (o *env) check(names []string) error {
	switch {
	case o.query.Local && o.dry == cli.DryRunServer:
		return errLocalServer
	case len(o.query.Filenames) == 0 && len(names) == 0:
		return errors.New("one or more resources must be specified as <resource> <name> or <resource>/<name>")
	case o.list && o.print.Output != "":
		return errors.New("--list and --output may not be specified together")
	case len(o.keys) > 0 && o.from == "":
		return errors.New("when specifying --keys, a configmap or secret must be provided with --from")
	}
	return nil
}

func (o *env) run(ctx context.Context, args []string) error {
	if o.query.All && o.query.LabelSelector != "" {
		return errors.New("cannot set --all and --selector at the same time")
	}
	names, specs, err := splitEnv(args)
	if err != nil {
		return err
	}
	if err := o.check(names); err != nil {
		return err
	}
	set, remove, err := parseEnv(append(o.params, specs...), o.io.In)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	if o.from != "" {
		imported, err := o.imported(ctx, client)
		if err != nil {
			return err
		}
		set = append(set, imported...)
	}
	if o.prefix != "" {
		for i := range set {
			set[i].Name = o.prefix + set[i].Name
		}
	}
	objects, err := o.find(ctx, client, names)
	if err != nil {
		return err
	}
	edit := func(obj api.Object, spec *corev1.PodSpec) []error { return o.edit(ctx, client, obj, spec, set, remove) }
	if !o.list {
		return o.change(ctx, client, objects, edit)
	}
	for _, obj := range objects {
		// What is listed is not sent, and errors have been said.
		_, _, _, _ = obj.EditPatch(func(typed api.Object, kind *api.Kind) error {
			if spec := podSpec(typed, kind); spec != nil {
				edit(typed, spec)
			}
			return nil
		})
	}
	return nil
}

func (o *env) edit(ctx context.Context, client *resource.Client, obj api.Object, spec *corev1.PodSpec, set []corev1.EnvVar, remove []string) (errs []error) {
	list := matching(spec, o.containers)
	kind := obj.GetObjectKind().GroupVersionKind().Kind
	if len(list) == 0 {
		fmt.Fprintf(o.io.ErrOut, "Warning: %s/%s does not have any containers matching %q\n", kind, obj.GetName(), o.containers)
	}
	for _, c := range list {
		if !o.overwrite {
			if err := refuseOverwrite(c.Env, set); err != nil {
				return []error{fmt.Errorf("error: %s/%s %v\n", strings.ToLower(kind)+"s", obj.GetName(), err)}
			}
		}
		c.Env = updateEnv(c.Env, set, remove)
		if o.list {
			fmt.Fprintf(o.io.Out, "# %s %s, container %s\n", kind, obj.GetName(), c.Name)
			o.show(ctx, client, obj, c)
		}
	}
	return nil
}

func refuseOverwrite(have, set []corev1.EnvVar) error {
	for _, e := range set {
		if i := slices.IndexFunc(have, func(h corev1.EnvVar) bool { return h.Name == e.Name }); i >= 0 && have[i].Value != e.Value {
			return fmt.Errorf("'%s' already has a value (%s), and --overwrite is false", e.Name, have[i].Value)
		}
	}
	return nil
}
