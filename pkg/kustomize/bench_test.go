package kustomize_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// BenchmarkBuild renders N deployments, services and generated config maps with a patch for each deployment: the time per
// build must grow as N does.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100, 1000, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			fs := kustomize.Memory(synthetic(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := build(fs, "/work/over"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func synthetic(n int) map[string]string {
	var resources, base, over strings.Builder
	base.WriteString("resources: [all.yaml]\nnamePrefix: base-\nconfigMapGenerator:\n")
	over.WriteString("resources: [../base]\nnamespace: prod\nnamePrefix: prod-\ncommonLabels: {env: prod}\nimages:\n" +
		"- {name: nginx, newTag: '2'}\npatches:\n")
	for i := range n {
		fmt.Fprintf(&resources, `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d%[1]d}
spec:
  replicas: 2
  selector: {matchLabels: {app: a%[1]d}}
  template:
    metadata: {labels: {app: a%[1]d}}
    spec:
      containers:
      - name: main
        image: nginx:1
        env:
        - name: SERVICE
          value: s%[1]d
        - name: LEVEL
          valueFrom: {configMapKeyRef: {name: c%[1]d, key: level}}
      volumes:
      - name: conf
        configMap: {name: c%[1]d}
---
apiVersion: v1
kind: Service
metadata: {name: s%[1]d}
spec:
  selector: {app: a%[1]d}
  ports: [{port: 80}]
`, i)
		fmt.Fprintf(&base, "- name: c%d\n  literals: [level=debug%d]\n", i, i)
		fmt.Fprintf(&over, "- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: d%d}\n    spec: {replicas: %d}\n", i, i)
	}
	return map[string]string{"/work/base/kustomization.yaml": base.String(), "/work/base/all.yaml": resources.String(),
		"/work/over/kustomization.yaml": over.String()}
}
