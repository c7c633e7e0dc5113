package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

type userFlags struct {
	cert, key, token, username, password string
	embed                                bool
	provider                             string
	providerArgs                         []string
	execCommand, execVersion             string
	execArgs, execEnv                    []string
	execMode                             string
	execCluster                          bool
	given                                func(flag string) bool
}

func newSetCredentials(c *files) *cobra.Command {
	var u userFlags
	cmd := &cobra.Command{
		Use:   "set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]",
		Short: "Set a user entry in kubeconfig",
		Long: `Add a user, or change what the flags name of one that is there. A user is known by a client certificate, by a bearer token,
by name and password, or by what a program says that is run for each new session.`,
		Example: `
  skiff config set-credentials me --client-certificate=./me.crt --client-key=./me.key --embed-certs=true
  skiff config set-credentials me --token=eyJhbGci
  skiff config set-credentials me --exec-command=/usr/bin/login --exec-api-version=client.authentication.k8s.io/v1 --exec-arg=--fast`,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return helpError(cmd, "Unexpected args: %v", args)
			}
			u.given = cmd.Flags().Changed
			if err := u.check(args[0]); err != nil {
				return err
			}
			config, err := c.load()
			if err != nil {
				return err
			}
			if config.AuthInfos[args[0]] == nil {
				config.AuthInfos[args[0]] = clientcmdapi.NewAuthInfo()
			}
			if err := u.apply(config.AuthInfos[args[0]]); err != nil {
				return err
			}
			if err := c.save(config, true); err != nil {
				return err
			}
			fmt.Fprintf(c.io.Out, "User %q set.\n", args[0])
			return nil
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&u.cert, "client-certificate", "", "File with the user's certificate.")
	fs.StringVar(&u.key, "client-key", "", "File with the certificate's key.")
	fs.BoolVar(&u.embed, "embed-certs", false, "Copy certificate and key into the kubeconfig.")
	fs.StringVar(&u.token, "token", "", "Bearer token.")
	fs.StringVar(&u.username, "username", "", "Name for basic authentication.")
	fs.StringVar(&u.password, "password", "", "Password for basic authentication.")
	fs.StringVar(&u.provider, "auth-provider", "", "Authentication provider.")
	fs.StringSliceVar(&u.providerArgs, "auth-provider-arg", nil, "Setting of the provider: key=value, or key- to remove it.")
	fs.StringVar(&u.execCommand, "exec-command", "", "Program that gives the credentials.")
	fs.StringVar(&u.execVersion, "exec-api-version", "", "API version that the program speaks.")
	fs.StringSliceVar(&u.execArgs, "exec-arg", nil, "Argument of the program.")
	fs.StringArrayVar(&u.execEnv, "exec-env", nil, "Environment of the program: key=value, or key- to remove it.")
	fs.StringVar(&u.execMode, "exec-interactive-mode", "", "Whether the program may ask: Never, IfAvailable or Always.")
	fs.BoolVar(&u.execCluster, "exec-provide-cluster-info", false, "Tell the program which cluster it is for.")
	return cmd
}

func (u *userFlags) check(name string) error {
	var methods []string
	if u.token != "" {
		methods = append(methods, "--token")
	}
	if u.username != "" || u.password != "" {
		methods = append(methods, "--username/--password")
	}
	switch {
	case name == "":
		return errors.New("you must specify a non-empty user name")
	case len(methods) > 1:
		return fmt.Errorf("you cannot specify more than one authentication method at the same time: %v", strings.Join(methods, ", "))
	case u.embed && u.cert == "" && u.key == "":
		return errors.New("you must specify a --client-certificate or --client-key to embed")
	}
	return nil
}

func (u *userFlags) apply(a *clientcmdapi.AuthInfo) error {
	if u.given("client-certificate") {
		data, path, err := certificate("client-certificate", u.cert, u.embed)
		if err != nil {
			return err
		}
		a.ClientCertificate, a.ClientCertificateData = path, data
	}
	if u.given("client-key") {
		data, path, err := certificate("client-key", u.key, u.embed)
		if err != nil {
			return err
		}
		a.ClientKey, a.ClientKeyData = path, data
	}
	if u.given("token") {
		a.Token = u.token
		if u.token != "" {
			a.Username, a.Password = "", ""
		}
	}
	for flag, pair := range map[string][2]*string{"username": {&a.Username, &u.username}, "password": {&a.Password, &u.password}} {
		if u.given(flag) {
			*pair[0] = *pair[1]
			if *pair[1] != "" {
				a.Token, a.TokenFile = "", ""
			}
		}
	}
	u.applyProvider(a)
	return u.applyExec(a)
}

func (u *userFlags) applyProvider(a *clientcmdapi.AuthInfo) {
	if u.given("auth-provider") {
		a.AuthProvider = nil
		if u.provider != "" {
			a.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: u.provider}
		}
	}
	if a.AuthProvider == nil {
		return
	}
	if a.AuthProvider.Config == nil {
		a.AuthProvider.Config = map[string]string{}
	}
	for _, arg := range u.providerArgs {
		if key, value, ok := strings.Cut(arg, "="); ok {
			a.AuthProvider.Config[key] = value
		} else {
			delete(a.AuthProvider.Config, strings.TrimSuffix(arg, "-"))
		}
	}
}

func (u *userFlags) applyExec(a *clientcmdapi.AuthInfo) error {
	if u.given("exec-command") {
		a.Exec = nil
		if u.execCommand != "" {
			a.Exec = &clientcmdapi.ExecConfig{Command: u.execCommand}
		}
	}
	if a.Exec == nil {
		return nil
	}
	if u.given("exec-api-version") {
		a.Exec.APIVersion = u.execVersion
	}
	if u.given("exec-arg") {
		a.Exec.Args = u.execArgs
	}
	if u.given("exec-provide-cluster-info") {
		a.Exec.ProvideClusterInfo = u.execCluster
	}
	switch mode := clientcmdapi.ExecInteractiveMode(u.execMode); mode {
	case "":
	case clientcmdapi.NeverExecInteractiveMode, clientcmdapi.IfAvailableExecInteractiveMode, clientcmdapi.AlwaysExecInteractiveMode:
		a.Exec.InteractiveMode = mode
	default:
		return fmt.Errorf("invalid interactive mode type: %q", u.execMode)
	}
	for _, env := range u.execEnv {
		key, value, set := strings.Cut(env, "=")
		if !set {
			key = strings.TrimSuffix(key, "-")
		}
		a.Exec.Env = withEnv(a.Exec.Env, key, value, set)
	}
	return nil
}

func withEnv(env []clientcmdapi.ExecEnvVar, key, value string, set bool) []clientcmdapi.ExecEnvVar {
	var out []clientcmdapi.ExecEnvVar
	for _, e := range env {
		if e.Name != key {
			out = append(out, e)
		}
	}
	if set {
		out = append(out, clientcmdapi.ExecEnvVar{Name: key, Value: value})
	}
	return out
}
