package kustomize

import (
	"reflect"
	"testing"
)

// FuzzParsePlain compares a kustomization that was read field by field with the same read as a whole.
func FuzzParsePlain(f *testing.F) {
	goldenFiles(f, func(data string) { f.Add(data) })
	for _, text := range []string{"resources: []\n", "resources:\n", "namePrefix: null\n", "namePrefix: 1\n", "namePrefix: '1'\n", "resources: [a, 1]\n",
		"resources: [a, null]\n", "Resources: [a]\n", "resources,omitempty: [a]\n", "openapi: {path: a}\n", "metadata: {name: a}\n", "images:\n- name: a\n  nope: b\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data string) {
		got := parsePlain([]byte(data))
		if got == nil {
			return
		}
		j, err := toJSON([]byte(data))
		want := &Kustomization{}
		if err == nil {
			err = decodeStrict(j, want)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v, error %v", got, want, err)
		}
	})
}
