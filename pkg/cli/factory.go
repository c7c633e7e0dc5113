package cli

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/kubeskiff/skiff/pkg/resource"
)

// Factory gives commands what they depend on. Every function is lazy: nothing is read or dialled before a command asks.
type Factory struct {
	IO IOStreams
	// Name is what the program was called as: "skiff" or "kubectl". Usage texts say it.
	Name string
	// Pretty says that tables are for a person: called as skiff, on a terminal.
	Pretty bool
	Flags  *Flags

	// Loader reads the kubeconfig under the global flags.
	Loader func() clientcmd.ClientConfig
	// Namespace is the one to work in, and whether it was asked for by flag.
	Namespace func() (name string, explicit bool, err error)
	// RESTConfig says how to reach the server. It starts the built-in cluster if that is the one meant.
	RESTConfig func(ctx context.Context) (*rest.Config, error)
	// Client speaks to the server; its first request resolves RESTConfig.
	Client func() (*resource.Client, error)

	// StartBuiltin starts the built-in cluster and gives the path of a kubeconfig whose current context is its own; contextName is
	// empty for the default cluster. nil means there is none to start.
	StartBuiltin func(ctx context.Context, contextName string) (kubeconfig string, err error)
	// Program finds a program of ours that this file carries ("skiffd", "skiff-shim"), unpacking it at first use. nil means that it
	// carries none.
	Program func(name string) (path string, err error)
	// Daemon puts a subcommand of skiffd in place of this program, with the default cluster's directory unless args name another.
	Daemon func(subcommand string, args []string) error
	// IsBuiltin tells whether a kubeconfig context is of a cluster that StartBuiltin can start.
	IsBuiltin func(contextName string, config *clientcmdapi.Config) bool
	// Kustomize renders the directory of -k to manifests. nil means that -k does not work.
	Kustomize func(dir string) ([]byte, error)
	// RenderWatch is Kustomize again and again, after each change of what it read, until ctx ends.
	RenderWatch func(ctx context.Context, dir string) iter.Seq2[[]byte, error]
	// Attach joins the streams to a running container until it ends. nil means that this build cannot.
	Attach func(ctx context.Context, a Attachment) error
}

// New makes a Factory for a program called by this name (a path will do).
func New(io IOStreams, name string) *Factory {
	name = strings.TrimSuffix(filepath.Base(name), ".exe")
	if name != "kubectl" {
		name = "skiff"
	}
	f := &Factory{IO: io, Name: name, Flags: &Flags{}}
	f.Pretty = name == "skiff" && IsTerminal(io.Out)
	f.IsBuiltin = func(name string, _ *clientcmdapi.Config) bool {
		return name == "skiff" || strings.HasPrefix(name, "skiff-")
	}
	f.Loader = sync.OnceValue(func() clientcmd.ClientConfig {
		return clientcmd.NewInteractiveDeferredLoadingClientConfig(f.Flags.loadingRules(), f.Flags.overrides(), io.In)
	})
	f.Namespace = func() (string, bool, error) { return f.Loader().Namespace() }
	var config *rest.Config
	f.RESTConfig = func(ctx context.Context) (*rest.Config, error) {
		if config != nil {
			return config, nil
		}
		c, err := f.restConfig(ctx)
		config = c
		return c, err
	}
	f.Client = sync.OnceValues(f.client)
	return f
}

func (f *Factory) client() (*resource.Client, error) {
	ns, explicit, err := f.Namespace()
	if err != nil {
		return nil, err
	}
	return resource.New(resource.Config{
		REST: f.RESTConfig, CacheDir: f.Flags.CacheDir, Namespace: ns, NamespaceExplicit: explicit,
		Stdin: f.IO.In, Warnings: f.IO.ErrOut, WarningsAsErrors: f.Flags.WarningsAsErrors, Kustomize: f.Kustomize,
		MatchServerVersion: f.matchVersion(),
	}), nil
}

func (f *Factory) matchVersion() string {
	if f.Flags.MatchServerVersion {
		return KubectlVersion
	}
	return ""
}

func (f *Factory) restConfig(ctx context.Context) (*rest.Config, error) {
	loader := f.Loader()
	if f.StartBuiltin != nil {
		raw, err := loader.RawConfig()
		if err != nil {
			return nil, configError(err)
		}
		if f.meansBuiltin(&raw) {
			path, err := f.StartBuiltin(ctx, "")
			if err != nil {
				return nil, err
			}
			rules := f.Flags.loadingRules()
			rules.ExplicitPath = path
			loader = clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, f.Flags.overrides())
		}
	}
	c, err := loader.ClientConfig()
	if err != nil {
		return nil, configError(err)
	}
	c = rest.CopyConfig(c)
	c.UserAgent = fmt.Sprintf("kubectl/%s (%s/%s) skiff/%s", KubectlVersion, runtime.GOOS, runtime.GOARCH, Version)
	c.QPS, c.Burst = -1, 0
	if f.StartBuiltin != nil {
		f.startOnRefusal(c)
	}
	return c, nil
}

// configError words a kubeconfig that cannot be used as kubectl does.
func configError(err error) error {
	if clientcmd.IsEmptyConfig(err) {
		return fmt.Errorf("Missing or incomplete configuration info.  Please point to an existing, complete config file:\n\n\n" +
			"  1. Via the command-line flag --kubeconfig\n  2. Via the KUBECONFIG environment variable\n  3. In your home directory as ~/.kube/config\n\n" +
			"To view or setup config directly use the 'config' command.")
	}
	return err
}

// meansBuiltin holds when nothing names a server: no flag, no kubeconfig, no in-cluster environment. A named file that is
// missing is the user's mistake, not a wish for a new cluster.
func (f *Factory) meansBuiltin(raw *clientcmdapi.Config) bool {
	fl := f.Flags
	if fl.Kubeconfig != "" || os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "" || fl.Server != "" || fl.Context != "" || fl.Cluster != "" || fl.User != "" {
		return false
	}
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" || os.Getenv("KUBERNETES_MASTER") != "" {
		return false
	}
	return len(raw.Clusters) == 0 && len(raw.Contexts) == 0 && raw.CurrentContext == ""
}

// effectiveContext is the context that requests go to.
func (f *Factory) effectiveContext(raw *clientcmdapi.Config) string {
	if f.Flags.Context != "" {
		return f.Flags.Context
	}
	return raw.CurrentContext
}

// WarningError is the failure that --warnings-as-errors makes of the server's warnings.
func (f *Factory) WarningError() error {
	if !f.Flags.WarningsAsErrors {
		return nil
	}
	client, err := f.Client()
	if err != nil {
		return nil
	}
	return client.WarningError()
}
