package command

import (
	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/kustomize"
	"github.com/kubeskiff/skiff/pkg/kustomize/process"
)

// pluginFlags say whether plugins run that are not built in, and what these may do.
type pluginFlags struct {
	alpha, exec, network, asCurrentUser bool
	networkName                         string
	mounts, env                         []string
}

func (p *pluginFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&p.alpha, "enable-alpha-plugins", false, "enable kustomize plugins")
	flags.BoolVar(&p.network, "network", false, "enable network access for functions that declare it")
	flags.StringVar(&p.networkName, "network-name", "bridge", "the docker network to run the container in")
	flags.StringArrayVar(&p.mounts, "mount", nil, "a list of storage options read from the filesystem")
	flags.StringArrayVarP(&p.env, "env", "e", nil, "a list of environment variables to be used by functions")
	flags.BoolVar(&p.asCurrentUser, "as-current-user", false,
		"use the uid and gid of the command executor to run the function in the container")
}

// addExec adds the flag that kubectl's grammar does not have.
func (p *pluginFlags) addExec(flags *pflag.FlagSet) {
	flags.BoolVar(&p.exec, "enable-exec", false, "enable support for exec functions (raw executables); do not use for untrusted configs! (Alpha)")
}

// allow puts into the options of a build what the flags allow. The name of a network has no effect, as in kustomize: a
// function that declares a need for one gets the machine's.
func (p *pluginFlags) allow(o *kustomize.Options, r process.Runner) {
	if !p.alpha {
		return
	}
	o.Runner = r
	o.Plugins = &kustomize.Plugins{Exec: p.exec, Network: p.network, AsCurrentUser: p.asCurrentUser, Env: p.env}
	for _, m := range p.mounts {
		o.Plugins.Mounts = append(o.Plugins.Mounts, process.ParseMount(m))
	}
}
