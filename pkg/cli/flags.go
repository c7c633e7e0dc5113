package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// Flags are the global flags of every command.
type Flags struct {
	Kubeconfig, CacheDir, Kuberc                          string
	Context, Cluster, User, Namespace                     string
	Server, TLSServerName, ProxyURL, CertificateAuthority string
	ClientCertificate, ClientKey, Token                   string
	Username, Password                                    string
	As, AsUID                                             string
	AsGroup, AsUserExtra                                  []string
	RequestTimeout                                        string
	InsecureSkipTLSVerify, DisableCompression             bool
	MatchServerVersion, WarningsAsErrors                  bool
	Profile, ProfileOutput                                string
}

// defaultCacheDir is where discovery is kept between runs.
func defaultCacheDir() string {
	if dir := os.Getenv("KUBECACHEDIR"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = os.TempDir()
	}
	return filepath.Join(home, ".kube", "cache")
}

// Add declares the flags.
func (f *Flags) Add(fs *pflag.FlagSet) {
	fs.StringVar(&f.Kubeconfig, "kubeconfig", "", "Path of the kubeconfig file to use.")
	fs.StringVar(&f.CacheDir, "cache-dir", defaultCacheDir(), "Directory in which answers of the server's discovery are kept.")
	fs.StringVar(&f.Kuberc, "kuberc", "", "Path of the kuberc file with preferences. Set KUBECTL_KUBERC=false to ignore it.")
	fs.StringVar(&f.ClientCertificate, "client-certificate", "", "Path of a client certificate for TLS.")
	fs.StringVar(&f.ClientKey, "client-key", "", "Path of the key of the client certificate.")
	fs.StringVar(&f.Token, "token", "", "Bearer token that says who you are to the server.")
	fs.StringVar(&f.As, "as", "", "User to act as; a service account is system:serviceaccount:NAMESPACE:NAME.")
	fs.StringVar(&f.AsUID, "as-uid", "", "UID to act as.")
	fs.StringArrayVar(&f.AsGroup, "as-group", nil, "Group to act as; may be given more than once.")
	fs.StringArrayVar(&f.AsUserExtra, "as-user-extra", nil, "Extra field (key=value) to act with; may be given more than once.")
	fs.StringVar(&f.Username, "username", "", "User name for basic authentication.")
	fs.StringVar(&f.Password, "password", "", "Password for basic authentication.")
	fs.StringVar(&f.Cluster, "cluster", "", "Name of the kubeconfig's cluster to use.")
	fs.StringVar(&f.User, "user", "", "Name of the kubeconfig's user to use.")
	fs.StringVarP(&f.Namespace, "namespace", "n", "", "Namespace that this command works in.")
	fs.StringVar(&f.Context, "context", "", "Name of the kubeconfig's context to use.")
	fs.StringVarP(&f.Server, "server", "s", "", "Address and port of the API server.")
	fs.StringVar(&f.TLSServerName, "tls-server-name", "", "Name to look for in the server's certificate, instead of the host's.")
	fs.BoolVar(&f.InsecureSkipTLSVerify, "insecure-skip-tls-verify", false, "Do not check the server's certificate. Anyone in between can then read and change what you send.")
	fs.StringVar(&f.CertificateAuthority, "certificate-authority", "", "Path of the certificate authority's certificate.")
	fs.StringVar(&f.RequestTimeout, "request-timeout", "0", "How long to wait for the answer to one request, such as 1s, 2m or 3h. Zero means for ever.")
	fs.BoolVar(&f.DisableCompression, "disable-compression", false, "Ask the server not to compress its answers.")
	fs.StringVar(&f.ProxyURL, "proxy-url", "", "URL of a proxy for requests to the API server.")
	fs.BoolVar(&f.MatchServerVersion, "match-server-version", false, "Require the server's version to be the client's.")
	fs.BoolVar(&f.WarningsAsErrors, "warnings-as-errors", false, "End with a failure if the server sent warnings.")
	fs.StringVar(&f.Profile, "profile", "none", "Profile to take: none, cpu, heap, goroutine, threadcreate, block or mutex.")
	fs.StringVar(&f.ProfileOutput, "profile-output", "profile.pprof", "File that the profile is written to.")
	fs.MarkHidden("username")
	fs.MarkHidden("password")
	addLogFlags(fs)
}

// addLogFlags takes the three of klog's flags that kubectl shows; -v=6 and more log each request.
func addLogFlags(fs *pflag.FlagSet) {
	var logs flag.FlagSet
	klog.InitFlags(&logs)
	for _, name := range []string{"v", "vmodule"} {
		f := pflag.PFlagFromGoFlag(logs.Lookup(name))
		f.DefValue = strings.TrimPrefix(f.DefValue, "0x")
		fs.AddFlag(f)
	}
	fs.Duration("log-flush-frequency", 5_000_000_000, "Longest time between two flushes of the log.")
}

// underscores lets --request_timeout stand for --request-timeout.
func underscores(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}

// loadingRules finds the kubeconfig files.
func (f *Flags) loadingRules() *clientcmd.ClientConfigLoadingRules {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.Kubeconfig
	// What stands in no file comes from these defaults: KUBERNETES_MASTER, else http://localhost:8080.
	defaults := clientcmd.DefaultClientConfig
	rules.DefaultClientConfig = &defaults
	return rules
}

// overrides are the flags that take the place of what the kubeconfig says.
func (f *Flags) overrides() *clientcmd.ConfigOverrides {
	o := &clientcmd.ConfigOverrides{ClusterDefaults: clientcmd.ClusterDefaults, CurrentContext: f.Context, Timeout: f.RequestTimeout}
	o.AuthInfo.ClientCertificate, o.AuthInfo.ClientKey = f.ClientCertificate, f.ClientKey
	o.AuthInfo.Token = f.Token
	o.AuthInfo.Username, o.AuthInfo.Password = f.Username, f.Password
	o.AuthInfo.Impersonate, o.AuthInfo.ImpersonateUID, o.AuthInfo.ImpersonateGroups = f.As, f.AsUID, f.AsGroup
	for _, extra := range f.AsUserExtra {
		if key, value, ok := strings.Cut(extra, "="); ok {
			if o.AuthInfo.ImpersonateUserExtra == nil {
				o.AuthInfo.ImpersonateUserExtra = map[string][]string{}
			}
			o.AuthInfo.ImpersonateUserExtra[key] = append(o.AuthInfo.ImpersonateUserExtra[key], value)
		}
	}
	o.ClusterInfo.Server, o.ClusterInfo.TLSServerName = f.Server, f.TLSServerName
	o.ClusterInfo.CertificateAuthority, o.ClusterInfo.InsecureSkipTLSVerify = f.CertificateAuthority, f.InsecureSkipTLSVerify
	o.ClusterInfo.DisableCompression, o.ClusterInfo.ProxyURL = f.DisableCompression, f.ProxyURL
	o.Context.Cluster, o.Context.AuthInfo, o.Context.Namespace = f.Cluster, f.User, f.Namespace
	return o
}
