package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// benchCase is a tree of files.
type benchCase struct {
	name, goal string
	// beyond, if any, says why the real one is not run: it would need that many times what the case before took it.
	beyond float64
	files  func() (map[string]string, error)
}

func cases() []benchCase {
	list := []benchCase{
		{"small: prefix", "3x", 0, made(smallPrefix)},
		{"small: overlay", "3x", 0, made(smallOverlay)},
		{"CRDs", "10x", 0, crds},
	}
	for _, n := range []int{30, 100, 300, 1000, 3000} {
		c := benchCase{fmt.Sprintf("groups: %d", n), "linear", 0, made(func() map[string]string { return groups(n) })}
		switch n {
		case 1000:
			c.goal = "0.2s"
		case 3000:
			c.beyond = 3 * 3
		}
		list = append(list, c)
	}
	return append(list, benchCase{"documents: 9000", "0.5s", 0, made(func() map[string]string { return documents(9000) })})
}

func made(f func() map[string]string) func() (map[string]string, error) {
	return func() (map[string]string, error) { return f(), nil }
}

// write puts the tree on disk and gives the directory to build.
func (c benchCase) write(root string) (string, error) {
	files, err := c.files()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, strings.NewReplacer(":", "", " ", "-").Replace(c.name))
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(data), 0o644)); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "over"), nil
}

func smallPrefix() map[string]string {
	return map[string]string{"over/kustomization.yaml": "resources: [service.yaml]\nnamePrefix: x-\n", "over/service.yaml": service("web")}
}

func smallOverlay() map[string]string {
	return map[string]string{
		"base/kustomization.yaml": "resources: [all.yaml]\nconfigMapGenerator:\n- name: web\n  literals: [level=debug]\n",
		"base/all.yaml":           deployment("web") + "---\n" + service("web"),
		"over/kustomization.yaml": "resources: [../base]\nnamespace: prod\nnamePrefix: prod-\nlabels:\n- pairs: {env: prod}\n  includeSelectors: true\n" +
			"images:\n- {name: nginx, newTag: '2'}\npatches:\n- path: patch.yaml\n",
		"over/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n",
	}
}

// operator is where real CRDs come from: ten of the Prometheus operator, 3.9 MB.
const operator = "github.com/prometheus-operator/prometheus-operator@v0.79.2"

func crds() (map[string]string, error) {
	out, err := exec.Command("go", "mod", "download", "-json", operator).Output()
	if err != nil {
		return nil, fmt.Errorf("download %s by way of the Go module proxy: %w", operator, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, err
	}
	paths, err := filepath.Glob(filepath.Join(module.Dir, "example/prometheus-operator-crd/*.yaml"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no CRDs in %s", module.Dir)
	}
	files := map[string]string{}
	var k strings.Builder
	k.WriteString("resources:\n")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files["over/"+filepath.Base(path)] = string(data)
		fmt.Fprintf(&k, "- %s\n", filepath.Base(path))
	}
	k.WriteString(`commonAnnotations: {team: platform}
patches:
- target: {kind: CustomResourceDefinition}
  patch: |
    - op: add
      path: /metadata/annotations/example.com~1owner
      value: us
- patch: |
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: prometheuses.monitoring.coreos.com, labels: {tier: one}}
`)
	files["over/kustomization.yaml"] = k.String()
	return files, nil
}

// groups makes n times a deployment, a service and a generated config map, with a patch and a replacement for each.
func groups(n int) map[string]string {
	var all, base, over strings.Builder
	base.WriteString("resources: [all.yaml]\nnamePrefix: base-\nconfigMapGenerator:\n")
	over.WriteString("resources: [../base]\nnamespace: prod\nnamePrefix: prod-\nimages:\n- {name: nginx, newTag: '2'}\npatches:\n")
	for i := range n {
		name := fmt.Sprintf("app%d", i)
		all.WriteString("---\n" + deployment(name) + "---\n" + service(name))
		fmt.Fprintf(&base, "- name: %s\n  literals: [level=debug%d]\n", name, i)
		fmt.Fprintf(&over, "- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata:\n      name: %s\n    spec:\n      replicas: %d\n", name, i)
	}
	over.WriteString("replacements:\n")
	for i := range n {
		fmt.Fprintf(&over, "- source: {kind: Service, name: app%d}\n  targets:\n  - select: {kind: Deployment, name: app%d}\n"+
			"    fieldPaths: ['spec.template.spec.containers.[name=main].env.[name=SERVICE].value']\n", i, i)
	}
	return map[string]string{"base/kustomization.yaml": base.String(), "base/all.yaml": all.String(), "over/kustomization.yaml": over.String()}
}

func documents(n int) map[string]string {
	var all strings.Builder
	for i := range n {
		all.WriteString("---\n" + service(fmt.Sprintf("app%d", i)))
	}
	return map[string]string{"over/kustomization.yaml": "resources: [all.yaml]\n", "over/all.yaml": all.String()}
}

func deployment(name string) string {
	return strings.ReplaceAll(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  replicas: 1
  selector:
    matchLabels:
      app: NAME
  template:
    metadata:
      labels:
        app: NAME
    spec:
      containers:
      - name: main
        image: nginx:1
        ports:
        - containerPort: 80
        env:
        - name: SERVICE
          value: unknown
        - name: LEVEL
          valueFrom:
            configMapKeyRef:
              name: NAME
              key: level
      volumes:
      - name: conf
        configMap:
          name: NAME
`, "NAME", name)
}

func service(name string) string {
	return strings.ReplaceAll(`apiVersion: v1
kind: Service
metadata:
  name: NAME
spec:
  selector:
    app: NAME
  ports:
  - name: http
    port: 80
`, "NAME", name)
}
