package main

import (
	"context"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/orchestrator/apiserver"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
	"github.com/kubeskiff/skiff/pkg/orchestrator/clustertest"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

func TestMain(m *testing.M) {
	program := func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(start(ctx, os.Args, cli.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
	}
	testscript.Main(m, map[string]func(){"skiff": program, "kubectl": program, "kustomize": program})
}

// TestScripts runs the users' stories below testdata/script, one folder a verb, each script against an API server of its
// own. They do not know which program they run: with KUBECTL or KUSTOMIZE set to a real one it stands in for ours.
func TestScripts(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/script/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if !slices.Contains(verbs, filepath.Base(dir)) {
			continue
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			testscript.Run(t, testscript.Params{
				Dir: dir, UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
				Setup:     func(env *testscript.Env) error { return setup(t, env) },
				Condition: condition,
			})
		})
	}
}

// verbs are the folders whose scripts need no more than an API server; the others have runners of their own.
var verbs = []string{
	"annotate", "apiresources", "apply", "auth", "cluster", "clusterinfo", "completion", "config", "create", "delete", "describe", "edit", "explain",
	"expose", "get", "help", "kustomize", "label", "options", "pods", "rollout", "run", "scale", "set", "version", "wait",
}

func setup(t *testing.T, env *testscript.Env) error {
	c := clustertest.With(t, func(config *apiserver.Config) { config.Authenticator = everyoneIsAdmin{} })
	server := httptest.NewServer(c.Server)
	env.Defer(server.Close)
	config := filepath.Join(env.WorkDir, ".kubeconfig")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("KUBECONFIG", config)
	env.Setenv("SERVER", server.URL)
	if err := errors.Join(serveFiles(env), useReal(env)); err != nil {
		return err
	}
	return os.WriteFile(config, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster: {server: %q}
contexts:
- name: test
  context: {cluster: test, user: test}
users:
- name: test
  user: {}
`, server.URL), 0o600)
}

// serveFiles serves the script's files over HTTPS at $FILES, with a certificate that its programs trust.
func serveFiles(env *testscript.Env) error {
	files := httptest.NewTLSServer(http.FileServer(http.Dir(env.WorkDir)))
	env.Defer(files.Close)
	authority := filepath.Join(env.WorkDir, ".files-ca.pem")
	env.Setenv("FILES", files.URL)
	env.Setenv("SSL_CERT_FILE", authority)
	return os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: files.Certificate().Raw}), 0o600)
}

// useReal puts real programs in the place of ours.
func useReal(env *testscript.Env) error {
	bin := filepath.Join(env.WorkDir, ".bin")
	for name, path := range map[string]string{"kubectl": os.Getenv("KUBECTL"), "kustomize": os.Getenv("KUSTOMIZE")} {
		if path == "" {
			continue
		}
		if err := os.MkdirAll(bin, 0o755); err != nil {
			return err
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
	return nil
}

// condition knows [skiff]: what is tested is our program, not a real kubectl.
func condition(name string) (bool, error) {
	if name == "skiff" {
		return os.Getenv("KUBECTL") == "", nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// everyoneIsAdmin takes any request of the loopback server for the administrator's.
type everyoneIsAdmin struct{}

func (everyoneIsAdmin) Authenticate(*http.Request) (*auth.User, error) {
	admin := auth.Admin()
	return &admin, nil
}
