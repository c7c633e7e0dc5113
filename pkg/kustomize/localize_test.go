package kustomize

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// What is fetched lies below the host and path it came from, and charts come along.
func TestLocalizeRemoteFilesAndCharts(t *testing.T) {
	const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
	work := t.TempDir()
	for name, text := range map[string]string{
		"kustomization.yaml":         "resources: ['https://u@example.com:8443/a/../b%20c/pod.yaml']\nhelmCharts: [{name: web, valuesFile: values.yaml}]\n",
		"values.yaml":                "a: b\n",
		"charts/web/Chart.yaml":      "name: web\n",
		"charts/web/templates/x.txt": "x\n",
	} {
		if err := write(filepath.Join(work, "app", name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	get := func(string) ([]byte, error) { return []byte(pod), nil }
	out, err := Localize(filepath.Join(work, "app"), "", filepath.Join(work, "copy"), Options{Get: get})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"kustomization.yaml":                         "helmCharts:\n- name: web\n  valuesFile: values.yaml\nresources:\n- localized-files/example.com/b%20c/pod.yaml\n",
		"localized-files/example.com/b%20c/pod.yaml": pod,
		"values.yaml":                                "a: b\n",
		"charts/web/Chart.yaml":                      "name: web\n",
		"charts/web/templates/x.txt":                 "x\n",
	} {
		if got, err := os.ReadFile(filepath.Join(out.Target, name)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	refuse := func(string) ([]byte, error) { return nil, errors.New("refused") }
	if _, err := Localize(filepath.Join(work, "app"), "", filepath.Join(work, "none"), Options{Get: refuse}); err == nil || exists(filepath.Join(work, "none")) {
		t.Errorf("a file that cannot be fetched: got %v, and a destination that stays: %v", err, exists(filepath.Join(work, "none")))
	}
}

// Patches may have numbers as keys, in a file or in the field.
func TestLocalizeNumberKeys(t *testing.T) {
	work := t.TempDir()
	for name, text := range map[string]string{
		"kustomization.yaml": "resources: [r.yaml]\npatchesStrategicMerge:\n- p.yaml\n- |\n  apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  data: {1: z}\n",
		"r.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {\"1\": x}\n",
		"p.yaml":             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {1: y}\n",
	} {
		if err := write(filepath.Join(work, "app", name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Localize(filepath.Join(work, "app"), "", filepath.Join(work, "copy"), Options{}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(work, "copy", "p.yaml"))
	if want := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {1: y}\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestRepositoryPlace(t *testing.T) {
	for url, want := range map[string][2]string{
		"https://user@example.com:8443/org/repo.git": {"example.com", "org/repo.git"},
		"git@example.com:org/repo":                   {"example.com", "org/repo"},
		"ssh://git@example.com:22/org/repo":          {"example.com", "org/repo"},
		"file:///srv/repo":                           {"file-schemed", "/srv/repo"},
	} {
		if got := [2]string{repositoryHost(url), repositoryPath(url)}; got != want {
			t.Errorf("%s: got %v, want %v", url, got, want)
		}
	}
}
