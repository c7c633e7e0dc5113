package resource

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Mapping joins a kind, its resource and how to reach it.
type Mapping struct {
	GVR          schema.GroupVersionResource `json:"gvr"`
	GVK          schema.GroupVersionKind     `json:"gvk"`
	Namespaced   bool                        `json:"namespaced,omitempty"`
	Singular     string                      `json:"singular,omitempty"`
	Verbs        []string                    `json:"verbs,omitempty"`
	ShortNames   []string                    `json:"shortNames,omitempty"`
	Categories   []string                    `json:"categories,omitempty"`
	Subresources []string                    `json:"subresources,omitempty"`
}

// Path is where the resource lives; an empty name is the collection's.
func (m *Mapping) Path(namespace, name string, sub ...string) string {
	p := "/apis/" + m.GVR.Group + "/" + m.GVR.Version
	if m.GVR.Group == "" {
		p = "/api/" + m.GVR.Version
	}
	if m.Namespaced && namespace != "" {
		p += "/namespaces/" + namespace
	}
	p += "/" + m.GVR.Resource
	if name != "" {
		p += "/" + name
	}
	return path.Join(append([]string{p}, sub...)...)
}

// Can tells whether the server offers a verb.
func (m *Mapping) Can(verb string) bool { return slices.Contains(m.Verbs, verb) }

// KindName is what messages call an object: "pod/x", "deployment.apps/x".
func (m *Mapping) KindName(name string) string {
	if m.GVK.Group == "" {
		return strings.ToLower(m.GVK.Kind) + "/" + name
	}
	return strings.ToLower(m.GVK.Kind) + "." + m.GVK.Group + "/" + name
}

// GroupResource is the name that error texts use: "deployments.apps".
func (m *Mapping) GroupResource() schema.GroupResource { return m.GVR.GroupResource() }

// Mapper finds mappings among what the server offers.
type Mapper struct {
	Groups []Group
	stale  func(ctx context.Context) ([]Group, error) // asks the server anew; nil once it has been asked
}

// Mapper gives the client's mapper; the first call reads discovery.
func (c *Client) Mapper(ctx context.Context) (*Mapper, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	m := c.mapper
	c.mu.Unlock()
	if m != nil {
		return m, nil
	}
	if err := c.checkVersion(ctx); err != nil {
		return nil, err
	}
	groups, fromDisk, err := c.discover(ctx, false)
	if err != nil {
		return nil, err
	}
	m = &Mapper{Groups: groups}
	if fromDisk {
		m.stale = func(ctx context.Context) ([]Group, error) {
			groups, _, err := c.discover(ctx, true)
			return groups, err
		}
	}
	c.mu.Lock()
	c.mapper = m
	c.mu.Unlock()
	return m, nil
}

// Refresh asks the server what it offers now.
func (c *Client) Refresh(ctx context.Context) (*Mapper, error) {
	groups, _, err := c.discover(ctx, true)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mapper = &Mapper{Groups: groups}
	return c.mapper, nil
}

// again runs find, and once more on fresh discovery if it found nothing in a stored one.
func (m *Mapper) again(ctx context.Context, find func() *Mapping) (*Mapping, error) {
	if found := find(); found != nil || m.stale == nil {
		return found, nil
	}
	refresh := m.stale
	m.stale = nil
	groups, err := refresh(ctx)
	if err != nil {
		return nil, err
	}
	m.Groups = groups
	return find(), nil
}

// each visits mappings in order of preference: groups as discovery lists them, versions likewise.
func (m *Mapper) each(visit func(*Mapping) bool) *Mapping {
	for _, g := range m.Groups {
		for _, v := range g.Versions {
			for _, r := range v.Resources {
				if visit(r) {
					return r
				}
			}
		}
	}
	return nil
}

// ByGVK finds the resource of a kind; without a version the preferred one.
func (m *Mapper) ByGVK(ctx context.Context, gvk schema.GroupVersionKind) (*Mapping, error) {
	found, err := m.again(ctx, func() *Mapping {
		return m.each(func(r *Mapping) bool {
			return r.GVK.Kind == gvk.Kind && r.GVK.Group == gvk.Group && (gvk.Version == "" || r.GVK.Version == gvk.Version)
		})
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		e := &meta.NoKindMatchError{GroupKind: gvk.GroupKind()}
		if gvk.Version != "" {
			e.SearchedVersions = []string{gvk.Version}
		}
		return nil, e
	}
	return found, nil
}

// ByArg finds what a TYPE argument means: pods, pod, po, deployments.apps, deployments.v1.apps, Pod.
func (m *Mapper) ByArg(ctx context.Context, arg string) (*Mapping, error) {
	found, err := m.again(ctx, func() *Mapping { return m.lookup(arg) })
	if err != nil {
		return nil, err
	}
	if found == nil {
		gr := schema.ParseGroupResource(arg)
		if gr.Group != "" {
			return nil, fmt.Errorf("the server doesn't have a resource type %q in group %q", gr.Resource, gr.Group)
		}
		return nil, fmt.Errorf("the server doesn't have a resource type %q", gr.Resource)
	}
	return found, nil
}

func (m *Mapper) lookup(arg string) *Mapping {
	gvr, gr := schema.ParseResourceArg(strings.ToLower(arg))
	if gvr != nil {
		if r := m.byName(gvr.Group, gvr.Version, gvr.Resource); r != nil {
			return r
		}
	}
	if r := m.byName(gr.Group, "", gr.Resource); r != nil {
		return r
	}
	gvk, gk := schema.ParseKindArg(arg)
	return m.each(func(r *Mapping) bool {
		if gvk != nil && r.GVK == *gvk {
			return true
		}
		return r.GVK.Kind == gk.Kind && (gk.Group == "" || r.GVK.Group == gk.Group)
	})
}

// byName goes by plural or singular first, then by short name; a group may be given by its first letters.
func (m *Mapper) byName(group, version, name string) *Mapping {
	inGroup := func(r *Mapping, exact bool) bool {
		if version != "" && r.GVR.Version != version {
			return false
		}
		return group == "" || r.GVR.Group == group || (!exact && strings.HasPrefix(r.GVR.Group, group))
	}
	for _, exact := range []bool{true, false} {
		if r := m.each(func(r *Mapping) bool {
			return inGroup(r, exact) && (r.GVR.Resource == name || r.singular() == name)
		}); r != nil {
			return r
		}
		if r := m.each(func(r *Mapping) bool { return inGroup(r, exact) && slices.Contains(r.ShortNames, name) }); r != nil {
			return r
		}
	}
	return nil
}

func (m *Mapping) singular() string {
	if m.Singular != "" {
		return m.Singular
	}
	return strings.ToLower(m.GVK.Kind)
}

// Category lists the resources of a category such as "all", each in its preferred version.
func (m *Mapper) Category(name string) []*Mapping {
	var out []*Mapping
	for r := range m.Preferred() {
		if slices.Contains(r.Categories, name) {
			out = append(out, r)
		}
	}
	return out
}

// Preferred goes through every resource once, in its preferred version.
func (m *Mapper) Preferred() func(yield func(*Mapping) bool) {
	return func(yield func(*Mapping) bool) {
		seen := map[schema.GroupResource]bool{}
		m.each(func(r *Mapping) bool {
			if seen[r.GroupResource()] {
				return false
			}
			seen[r.GroupResource()] = true
			return !yield(r)
		})
	}
}
