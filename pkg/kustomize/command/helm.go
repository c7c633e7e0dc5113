package command

import (
	"bytes"
	"os"
	"os/exec"

	"github.com/spf13/pflag"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// helmFlags say whether and how charts are rendered.
type helmFlags struct {
	enabled     bool
	command     string
	apiVersions []string
	kubeVersion string
	debug       bool
}

func (h *helmFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&h.enabled, "enable-helm", false, "Enable use of the Helm chart inflator generator.")
	flags.StringVar(&h.command, "helm-command", "helm", "helm command (path to executable)")
	flags.StringArrayVar(&h.apiVersions, "helm-api-versions", []string{}, "Kubernetes api versions used by Helm for Capabilities.APIVersions")
	flags.StringVar(&h.kubeVersion, "helm-kube-version", "", "Kubernetes version used by Helm for Capabilities.KubeVersion")
	flags.BoolVar(&h.debug, "helm-debug", false, "Enable debug output from the Helm chart inflator generator.")
}

// helm is nil unless charts may be rendered: where plugins are, charts are too.
func (h *helmFlags) helm(plugins bool) *kustomize.Helm {
	if !h.enabled && !plugins {
		return nil
	}
	helm := Helm(h.command)
	helm.APIVersions, helm.KubeVersion, helm.Debug = h.apiVersions, h.kubeVersion, h.debug
	return helm
}

// Helm renders charts with a helm program.
func Helm(command string) *kustomize.Helm {
	return &kustomize.Helm{
		Command: command,
		Run: func(args, env []string) (stdout, stderr []byte, err error) {
			var out, errs bytes.Buffer
			cmd := exec.Command(command, args...)
			cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), &out, &errs
			err = cmd.Run()
			return out.Bytes(), errs.Bytes(), err
		},
		Temp: func() (dir string, remove func() error, err error) {
			dir, err = os.MkdirTemp("", "kustomize-helm-")
			return dir, func() error { return os.RemoveAll(dir) }, err
		},
		Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o644) },
	}
}
