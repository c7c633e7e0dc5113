package all_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"testing/synctest"

	"github.com/kubeskiff/skiff/pkg/api/all"
	"github.com/kubeskiff/skiff/pkg/api/apitest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Every kind has a golden file, which says what its facets make of its inputs. The bubble's clock starts with the year 2000.
func TestGolden(t *testing.T) {
	for _, k := range all.Kinds() {
		t.Run(k.Kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := apitest.File("..", k)
				got, want, err := apitest.Run(k, path)
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Equal(got, want) {
					return
				}
				if *update {
					if err := os.WriteFile(path, got, 0o644); err != nil {
						t.Fatal(err)
					}
					return
				}
				t.Errorf("%s differs; run with -update and look at the diff. Got:\n%s", path, got)
			})
		})
	}
}

// What the facets give must not depend on the object being shared with the store.
func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range all.Kinds() {
		gvk := k.GVK()
		if seen[gvk.String()] {
			t.Errorf("%s is listed twice", gvk)
		}
		seen[gvk.String()] = true
		if o, err := all.Scheme().New(gvk); err != nil {
			t.Errorf("the scheme does not know %s: %v", gvk, err)
		} else if got, want := o, k.New(); string(jsonOf(t, got)) != string(jsonOf(t, want)) {
			t.Errorf("%s: the scheme's type is %T, the kind's %T", gvk, got, want)
		}
		if _, err := all.Scheme().New(k.GroupVersion.WithKind(k.ListKind)); err != nil {
			t.Errorf("the scheme does not know the list: %v", err)
		}
		for name, s := range k.Subresources {
			if s.Kind.Kind != "" && !s.Connect && !all.Scheme().Recognizes(s.Kind) {
				t.Errorf("%s/%s: the scheme does not know %s", k.Resource, name, s.Kind)
			}
		}
	}
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
