package kustomize

import "strings"

// gvk is a group, version and kind; empty parts of a selector match anything.
type gvk struct {
	Group   string `json:"group,omitempty"`
	Version string `json:"version,omitempty"`
	Kind    string `json:"kind,omitempty"`
}

func splitAPIVersion(s string) (group, version string) {
	if g, v, ok := strings.Cut(s, "/"); ok {
		return g, v
	}
	return "", s
}

func (g gvk) apiVersion() string {
	if g.Group == "" {
		return g.Version
	}
	return g.Group + "/" + g.Version
}

func (g gvk) selectedBy(s gvk) bool {
	return (s.Group == "" || s.Group == g.Group) && (s.Version == "" || s.Version == g.Version) && (s.Kind == "" || s.Kind == g.Kind)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (g gvk) String() string {
	return or(g.Kind, "[noKind]") + "." + or(g.Version, "[noVer]") + "." + or(g.Group, "[noGrp]")
}

// clusterWide stands for the namespace of what has none.
const clusterWide = "_non_namespaceable_"

// id tells resources apart. Its namespace is the effective one: "default" where none is given, clusterWide for kinds that
// are known to have none.
type id struct {
	gvk
	name, namespace string
}

func (i id) String() string {
	ns := i.namespace
	if ns == clusterWide || ns == "default" {
		ns = ""
	}
	return i.gvk.String() + "/" + or(i.name, "[noName]") + "." + or(ns, "[noNs]")
}

func effectiveNamespace(g gvk, ns string) string {
	if clusterScoped(g) {
		return clusterWide
	}
	return or(ns, "default")
}
