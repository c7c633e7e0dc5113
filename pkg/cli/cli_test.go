package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/tools/clientcmd"
)

var pods = schema.GroupResource{Resource: "pods"}

func TestExplain(t *testing.T) {
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "x", field.ErrorList{field.Required(field.NewPath("spec", "a"), "")})
	twice := apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "x", field.ErrorList{field.Required(field.NewPath("a"), ""), field.Required(field.NewPath("a"), ""), field.Required(field.NewPath("b"), "")})
	refused := &url.Error{Op: "Get", URL: "https://h:1/api", Err: syscall.ECONNREFUSED}
	for _, test := range []struct {
		err  error
		want string
		code int
	}{
		{nil, "", 0},
		{errors.New("broken"), "error: broken\n", 1},
		{errors.New("error: broken"), "error: broken\n", 1},
		{fmt.Errorf("wrapped: %w", apierrors.NewNotFound(pods, "x")), "error: wrapped: pods \"x\" not found\n", 1},
		{apierrors.NewNotFound(pods, "x"), "Error from server (NotFound): pods \"x\" not found\n", 1},
		{apierrors.NewUnauthorized("Unauthorized"), "error: You must be logged in to the server (Unauthorized)\n", 1},
		{invalid, "The Pod \"x\" is invalid: spec.a: Required value\n", 1},
		{twice, "The Pod \"x\" is invalid: \n* a: Required value\n* b: Required value\n", 1},
		{&apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonInvalid, Message: "bad"}}, "The request is invalid: bad\n", 1},
		{refused, "The connection to the server h:1 was refused - did you specify the right host or port?\n", 1},
		{&url.Error{Op: "Get", URL: "https://h/", Err: errors.New("no route")}, "Unable to connect to the server: no route\n", 1},
		{&meta.NoResourceMatchError{PartialResource: schema.GroupVersionResource{Resource: "x"}}, "the server doesn't have a resource type \"x\"\n", 1},
		{&meta.NoResourceMatchError{PartialResource: schema.GroupVersionResource{Group: "g", Version: "v", Resource: "x"}}, "the server doesn't have a resource type \"x\" in group \"g\" and version \"v\"\n", 1},
		{utilerrors.NewAggregate([]error{errors.New("one")}), "error: one\n", 1},
		{utilerrors.NewAggregate([]error{apierrors.NewNotFound(pods, "x"), errors.New("two")}), "Error from server (NotFound): pods \"x\" not found\ntwo\n", 1},
		{ErrExit, "", 1},
		{&ExitError{Code: 7}, "", 7},
		{&ExitError{Code: 7, Err: errors.New("ended")}, "error: ended\n", 7},
	} {
		text, code := Explain(test.err)
		if text != test.want || code != test.code {
			t.Errorf("%v: got %q %d, want %q %d", test.err, text, code, test.want, test.code)
		}
	}
}

func TestDryRunAndValidate(t *testing.T) {
	for value, want := range map[string]DryRun{"none": DryRunNone, "client": DryRunClient, "server": DryRunServer, "": DryRunNone} {
		if got, err := ParseDryRun(value); got != want || err != nil {
			t.Errorf("%q: got %v, %v", value, got, err)
		}
	}
	if _, err := ParseDryRun("maybe"); err == nil || err.Error() != `Invalid dry-run value (maybe). Must be "none", "server", or "client".` {
		t.Errorf("got %v", err)
	}
	for value, want := range map[string]string{"true": "Strict", "strict": "Strict", "warn": "Warn", "false": "Ignore", "ignore": "Ignore"} {
		if got, err := ParseValidate(value); got != want || err != nil {
			t.Errorf("%q: got %v, %v", value, got, err)
		}
	}
	if _, err := ParseValidate("x"); err == nil {
		t.Error("x is taken")
	}
	if got := DryRunServer.Operation("created"); got != "created (server dry run)" {
		t.Errorf("got %q", got)
	}
}

// quiet clears the environment that says which cluster is meant.
func quiet(t *testing.T) (home string) {
	home = t.TempDir()
	for _, name := range []string{"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_MASTER"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	t.Setenv("HOME", home)
	before := clientcmd.RecommendedHomeFile
	clientcmd.RecommendedHomeFile = filepath.Join(home, ".kube", "config")
	t.Cleanup(func() { clientcmd.RecommendedHomeFile = before })
	return home
}

const kubeconfig = `apiVersion: v1
kind: Config
current-context: skiff
clusters: [{name: skiff, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: skiff, context: {cluster: skiff, user: skiff, namespace: here}}]
users: [{name: skiff, user: {}}]
`

func TestTheBuiltinClusterIsMeantOnlyWhenNothingElseIs(t *testing.T) {
	for _, test := range []struct {
		name  string
		setup func(t *testing.T, f *Factory, home string)
		want  bool
	}{
		{"nothing", func(*testing.T, *Factory, string) {}, true},
		{"--server", func(_ *testing.T, f *Factory, _ string) { f.Flags.Server = "http://x" }, false},
		{"--context", func(_ *testing.T, f *Factory, _ string) { f.Flags.Context = "x" }, false},
		{"a named file that is missing", func(_ *testing.T, f *Factory, home string) { f.Flags.Kubeconfig = filepath.Join(home, "nope") }, false},
		{"KUBECONFIG that is missing", func(t *testing.T, _ *Factory, home string) { t.Setenv("KUBECONFIG", filepath.Join(home, "nope")) }, false},
		{"in a cluster", func(t *testing.T, _ *Factory, _ string) { t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1") }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			home := quiet(t)
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(kubeconfig), 0o600); err != nil {
				t.Fatal(err)
			}
			f := New(IOStreams{Out: &bytes.Buffer{}, ErrOut: &bytes.Buffer{}}, "/usr/bin/skiff")
			started := false
			f.StartBuiltin = func(context.Context, string) (string, error) { started = true; return file, nil }
			test.setup(t, f, home)
			config, err := f.RESTConfig(context.Background())
			if started != test.want {
				t.Errorf("started: %v, want %v (%v)", started, test.want, err)
			}
			if test.want && (err != nil || config.Host != "http://127.0.0.1:1") {
				t.Errorf("got %+v, %v", config, err)
			}
		})
	}
}

func TestARefusedBuiltinClusterIsStartedOnce(t *testing.T) {
	home := quiet(t)
	if err := os.MkdirAll(filepath.Join(home, ".kube"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".kube", "config"), []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	f := New(IOStreams{}, "skiff")
	starts := 0
	f.StartBuiltin = func(_ context.Context, name string) (string, error) {
		if name != "skiff" {
			t.Errorf("started %q", name)
		}
		starts++
		return "", nil
	}
	client, err := f.Client()
	if err != nil {
		t.Fatal(err)
	}
	if client.Namespace != "here" || client.NamespaceExplicit {
		t.Errorf("namespace %q %v", client.Namespace, client.NamespaceExplicit)
	}
	for range 2 {
		if _, err := client.GetRaw(context.Background(), "/version"); err == nil {
			t.Error("port 1 answered")
		}
	}
	if starts != 1 {
		t.Errorf("started %d times", starts)
	}
}

func TestRoundTripperKeepsTheRequest(t *testing.T) {
	want := &http.Response{StatusCode: 200}
	rt := roundTripper(func(*http.Request) (*http.Response, error) { return want, nil })
	if got, err := rt.RoundTrip(nil); got != want || err != nil {
		t.Error(got, err)
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	root := &cobra.Command{Use: "kubectl"}
	sub := &cobra.Command{Use: "get TYPE", Short: "s", Long: "Show objects.", Example: "\n  # All\n  skiff get pods", RunE: func(*cobra.Command, []string) error { return nil }}
	sub.Flags().BoolP("all", "A", false, "All of them.")
	sub.Flags().String("name", "x", "A name.")
	root.AddCommand(sub)
	StyleHelp(root, &out)
	root.SetArgs([]string{"get", "--help"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	want := "Show objects.\n\nExamples:\n  # All\n  kubectl get pods\n\nOptions:\n    -A, --all=false:\n\tAll of them.\n\n    --name='x':\n\tA name.\n\n\nUsage:\n  kubectl get TYPE [options]\n\n" +
		"Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs([]string{"get", "--nope"})
	if err := root.Execute(); err == nil || err.Error() != "unknown flag: --nope\nSee 'kubectl get --help' for usage." {
		t.Errorf("got %v", err)
	}
}

func TestName(t *testing.T) {
	for path, want := range map[string]string{"/usr/bin/kubectl": "kubectl", "skiff": "skiff", "/x/other": "skiff"} {
		if got := New(IOStreams{}, path).Name; got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

func TestLocaleOfFlags(t *testing.T) {
	var f Flags
	cmd := &cobra.Command{Use: "x"}
	f.Add(cmd.PersistentFlags())
	StyleHelp(cmd, nil)
	if err := cmd.ParseFlags([]string{"--request_timeout=3s", "--as-user-extra=a=b", "--as-user-extra=a=c"}); err != nil {
		t.Fatal(err)
	}
	o := f.overrides()
	if o.Timeout != "3s" || strings.Join(o.AuthInfo.ImpersonateUserExtra["a"], ",") != "b,c" {
		t.Errorf("got %+v", o)
	}
}
