package apiserver

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
)

// resource is a kind as the server serves it.
type resource struct {
	*api.Kind
	storage  string
	managers managers
	// answer is set on kinds that are asked and never stored: the reviews.
	answer func(ctx context.Context, q *request, obj api.Object) (runtime.Object, error)
}

// registry finds resources by path. It does not change once the server serves.
type registry struct {
	ordered []*resource
	byGVR   map[schema.GroupVersionResource]*resource
	byGVK   map[schema.GroupVersionKind]*resource
	groups  []group
}

// group is one API group with its versions, the preferred one first.
type group struct {
	name     string
	versions []schema.GroupVersion
}

func newRegistry(kinds []*api.Kind) (*registry, error) {
	r := &registry{byGVR: map[schema.GroupVersionResource]*resource{}, byGVK: map[schema.GroupVersionKind]*resource{}}
	for _, k := range kinds {
		if err := r.add(&resource{Kind: k, storage: storageName(k.GroupResource())}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *registry) add(res *resource) error {
	if _, taken := r.byGVR[res.GVR()]; taken {
		return fmt.Errorf("%s is defined twice", res.GVR())
	}
	r.ordered = append(r.ordered, res)
	r.byGVR[res.GVR()] = res
	r.byGVK[res.GVK()] = res
	gv := res.GroupVersion
	i := slices.IndexFunc(r.groups, func(g group) bool { return g.name == gv.Group })
	if i < 0 {
		r.groups = append(r.groups, group{name: gv.Group, versions: []schema.GroupVersion{gv}})
	} else if !slices.Contains(r.groups[i].versions, gv) {
		r.groups[i].versions = append(r.groups[i].versions, gv)
	}
	return nil
}

// hasVersion says whether anything is served at gv.
func (r *registry) hasVersion(gv schema.GroupVersion) bool {
	for _, g := range r.groups {
		if g.name == gv.Group {
			return slices.Contains(g.versions, gv)
		}
	}
	return false
}

// of lists the resources of one group version.
func (r *registry) of(gv schema.GroupVersion) []*resource {
	var out []*resource
	for _, res := range r.ordered {
		if res.GroupVersion == gv {
			out = append(out, res)
		}
	}
	return out
}
