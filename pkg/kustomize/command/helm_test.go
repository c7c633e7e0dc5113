package command

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/cli"
	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// fakeHelm notes how it is called, with the values it is given, and renders its arguments.
const fakeHelm = `#!/bin/sh
echo "$@" >>"$HELM_LOG"
echo "$HELM_CONFIG_HOME $HELM_CACHE_HOME $HELM_DATA_HOME" >>"$HELM_LOG"
case $1 in
version) echo "${HELM_VERSION:-v3.19.0+g1}" ;;
pull)
	mkdir -p "$4/web/templates"
	echo "pulled: {a: 1, list: [x]}" >"$4/web/values.yaml" ;;
template)
	while [ $# -gt 0 ]; do
		[ "$1" = -f ] && cat "$2" >>"$HELM_LOG"
		shift
	done
	echo "{apiVersion: v1, kind: ConfigMap, metadata: {name: made}, data: {a: b}}" ;;
esac
`

var chartCases = map[string]struct{ kustomization, values, fails string }{
	"all fields": {kustomization: `namespace: ns
namePrefix: p-
helmGlobals: {chartHome: home, configHome: /config}
helmCharts:
- {name: web, releaseName: r, version: 1.2.3, nameTemplate: t, additionalValuesFiles: [more.yaml, more.yaml], includeCRDs: true,
   skipHooks: true, skipTests: true, apiVersions: [a/v1, b/v1], kubeVersion: "1.30", debug: true, devel: true}
`},
	"inline overrides": {kustomization: `helmCharts:
- {name: web, namespace: own, valuesFile: v.yaml, valuesInline: {a: {b: 2, n: null}, list: [z], big: 12345678}}
`, values: "a: {b: 1, c: 3, n: 4}\nlist: [x, y]\n"},
	"inline merges": {kustomization: `helmCharts:
- {name: web, valuesFile: v.yaml, valuesMerge: merge, valuesInline: {a: {b: 2, d: 5}, list: [z]}}
`, values: "a: {b: 1, c: 3}\nlist: [x, y]\n"},
	"inline replaces": {kustomization: `helmCharts:
- {name: web, valuesFile: v.yaml, valuesMerge: replace, valuesInline: {a: 1.5}}
`, values: "a: {b: 1, c: 3}\n"},
	"pull": {kustomization: `helmCharts:
- {name: web, repo: "https://charts.example.com", version: 1.0.0, valuesInline: {pulled: {a: 2}}, devel: true}
`},
	"pull from a registry": {kustomization: `helmCharts:
- {name: web, repo: "oci://registry.example.com/charts/", version: 1.0.0}
`},
	"deprecated": {kustomization: `helmChartInflationGenerator:
- {chartName: web, chartRepoUrl: "https://charts.example.com", chartVersion: "2", releaseName: old, values: v.yaml, valuesLocal: {a: 1}, valuesMerge: merge, helmHome: /hh, chartHome: ch}
`, values: "b: 1\n"},
	"no repository":   {kustomization: "helmCharts:\n- {name: none}\n", fails: "no repo specified for pull, no chart found at '"},
	"no name":         {kustomization: "helmCharts:\n- {version: '1'}\n", fails: "chart name cannot be empty"},
	"wrong merge":     {kustomization: "helmCharts:\n- {name: web, valuesMerge: x}\n", fails: "valuesMerge must be one of [merge override replace]"},
	"unknown field":   {kustomization: "helmCharts:\n- {name: web, chart: x}\n", fails: `unknown field "chart"`},
	"values outside":  {kustomization: "helmCharts:\n- {name: web, valuesFile: ../v.yaml}\n", fails: "is not in or below"},
	"no values there": {kustomization: "helmCharts:\n- {name: web, additionalValuesFiles: [none.yaml]}\n", fails: "could not load additionalValuesFile"},
}

// TestCharts calls a stand-in for helm. With KUSTOMIZE set to the real kustomize, that must call it in the same way.
func TestCharts(t *testing.T) {
	for name, c := range chartCases {
		t.Run(name, func(t *testing.T) {
			log, out, err := buildCharts(t, c.kustomization, c.values, "")
			if real := os.Getenv("KUSTOMIZE"); real != "" {
				wantLog, wantOut, errReal := buildCharts(t, c.kustomization, c.values, real)
				if (err == nil) != (errReal == nil) || log != wantLog || out != wantOut {
					t.Errorf("got %v:\n%s%s\nthe real one %v:\n%s%s", err, log, out, errReal, wantLog, wantOut)
				}
			}
			if c.fails == "" {
				if err != nil || !strings.Contains(out, "kind: ConfigMap") || strings.Contains(out, "helm-generated") {
					t.Errorf("got %v:\n%s", err, out)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %v, want an error with %q", err, c.fails)
			}
		})
	}
}

func TestChartArguments(t *testing.T) {
	log, out, err := buildCharts(t, chartCases["all fields"].kustomization, "", "")
	if err != nil {
		t.Fatal(err)
	}
	want := "version --short\n/config /config/.cache /config/.data\n" +
		"template r DIR/home/web --namespace ns --name-template t -f TEMP/web-kustomize-values.yaml -f DIR/more.yaml -f DIR/more.yaml " +
		"--api-versions a/v1 --api-versions b/v1 --kube-version 1.30 --include-crds --skip-tests --no-hooks --debug --devel\n" +
		"/config /config/.cache /config/.data\nof: home\nmore: 1\nmore: 1\n"
	if log != want {
		t.Errorf("got:\n%s\nwant:\n%s", log, want)
	}
	// Helm has given the resources their namespace, or none.
	if want := "apiVersion: v1\ndata:\n  a: b\nkind: ConfigMap\nmetadata:\n  name: p-made\n"; out != want {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}
}

func TestHelmRefusals(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"kustomization.yaml": "helmCharts: [{name: web}]\n"})
	for want, helm := range map[string]*kustomize.Helm{
		"must specify --enable-helm":       nil,
		"must specify --helm-command":      Helm(""),
		"(is '/no/such/helm' installed?):": Helm("/no/such/helm"),
	} {
		_, err := kustomize.Build(kustomize.Disk(), dir, kustomize.Options{Helm: helm})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	t.Setenv("HELM_VERSION", "v2.17.0")
	if _, _, err := buildCharts(t, chartCases["pull"].kustomization, "", ""); err == nil || !strings.Contains(err.Error(), "requires helm V3 or V4 but got v2.17.0") {
		t.Errorf("got %v", err)
	}
}

var temporary = regexp.MustCompile(`/\S*kustomize-helm-\d+`)

// buildCharts builds with the stand-in, by a program or, without one, by us. It gives what helm was called with.
func buildCharts(t *testing.T, kustomization, values, program string) (log, out string, err error) {
	t.Helper()
	dir := t.TempDir()
	root := filepath.Join(dir, "k")
	write(t, dir, map[string]string{
		"k/kustomization.yaml": kustomization, "k/v.yaml": values, "k/more.yaml": "more: 1\n", "v.yaml": "",
		"k/home/web/values.yaml": "of: home\n", "k/charts/web/values.yaml": "of: charts\n", "helm": fakeHelm,
	})
	if err := os.Chmod(filepath.Join(dir, "helm"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HELM_LOG", filepath.Join(dir, "log"))
	helm := filepath.Join(dir, "helm")
	if program == "" {
		var buf bytes.Buffer
		o := Options{IO: cli.IOStreams{Out: &buf, ErrOut: &buf}, Dir: root, charts: helmFlags{enabled: true, command: helm}}
		err = o.Run()
		out = buf.String()
	} else {
		var data []byte
		data, err = exec.Command(program, "build", "--enable-helm", "--helm-command", helm, root).Output()
		out = string(data)
	}
	called, errLog := os.ReadFile(filepath.Join(dir, "log"))
	if errLog != nil && !os.IsNotExist(errLog) {
		t.Fatal(errLog)
	}
	log = strings.ReplaceAll(temporary.ReplaceAllString(string(called), "TEMP"), root, "DIR")
	return log, out, err
}
