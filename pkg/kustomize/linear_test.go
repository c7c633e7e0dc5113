package kustomize_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// TestLinear counts what builds of N patches allocate, one of each kind for each resource: four times as many patches may
// take little more than four times as much.
func TestLinear(t *testing.T) {
	const target = "- target: {kind: ConfigMap, name: c%[1]d}\n  patch: |\n"
	for name, patch := range map[string]string{
		"json":        target + "    - {op: add, path: /data, value: {a: 'x'}}\n",
		"json rename": target + "    - {op: replace, path: /metadata/name, value: d%[1]d}\n",
		"merge":       "- patch: |\n    {apiVersion: v1, kind: ConfigMap, metadata: {name: c%[1]d}, data: {a: 'x'}}\n",
		"merge to":    target + "    {apiVersion: v1, kind: ConfigMap, metadata: {name: any}, data: {a: 'x'}}\n",
		"merge rename": "- target: {kind: ConfigMap, name: c%[1]d}\n  options: {allowNameChange: true}\n  patch: |\n" +
			"    {apiVersion: v1, kind: ConfigMap, metadata: {name: d%[1]d}}\n",
		"both": target + "    - {op: add, path: /data, value: {a: 'x'}}\n" +
			target + "    {apiVersion: v1, kind: ConfigMap, metadata: {name: any}, data: {b: 'x'}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			patchedBytes(t, patch, 1)
			few, many := patchedBytes(t, patch, 100), patchedBytes(t, patch, 400)
			if many > 5*few {
				t.Errorf("100 patches allocate %d bytes, 400 %d", few, many)
			}
		})
	}
}

func patchedBytes(t *testing.T, patch string, n int) uint64 {
	var resources, k strings.Builder
	k.WriteString("resources: [all.yaml]\npatches:\n")
	for i := range n {
		fmt.Fprintf(&resources, "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c%d\n", i)
		fmt.Fprintf(&k, patch, i)
	}
	fs := kustomize.Memory(map[string]string{"/w/kustomization.yaml": k.String(), "/w/all.yaml": resources.String()})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := build(fs, "/w"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
