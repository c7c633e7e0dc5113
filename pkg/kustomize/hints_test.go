package kustomize

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"namePrefix", "nameSuffix", "namespace", "name", "resources", "replicas"}
	for name, want := range map[string]string{
		"namePrefx": "namePrefix", "nameprefix": "namePrefix", "resourses": "resources", "nam": "name", "replica": "replicas",
		"volumes": "", "x": "", "": "",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestMistypedFields(t *testing.T) {
	for text, want := range map[string]string{
		"namePrefix: 1\n":                                             `of type string (line 1): quote it`,
		"resources:\n- a.yaml\nnamespace: yes\n":                      `(line 3): quote it`,
		"replicas:\n- name: a\n  count: 1\n- name: b\n  count: '2'\n": `(line 5)`,
		"images:\n- name: a\n  newTag: 1.0\n":                         `(line 3): quote it`,
		"commonLabels:\n  a: b\n  c: 1\n":                             `(line 3): quote it`,
		"resources: a.yaml\n":                                         `(line 1)`,
		"images:\n- nam: a\n":                                         `unknown field "nam" (line 2): did you mean name?`,
		"patches:\n- path: a\n  targt: {}\n":                          `unknown field "targt" (line 3): did you mean target?`,
		"zzz: 1\n":                                                    `unknown field "zzz" (line 1)`,
	} {
		_, err := ParseKustomization([]byte(text))
		if err == nil {
			t.Errorf("%q: got no error", text)
			continue
		}
		if got := err.Error(); len(got) < len(want) || got[len(got)-len(want):] != want {
			t.Errorf("%q: got %q, want it to end with %q", text, got, want)
		}
	}
}
