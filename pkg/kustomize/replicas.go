package kustomize

import (
	"fmt"
	"strconv"
	"strings"
)

// Replica is an entry of replicas.
type Replica struct {
	Name  string `json:"name,omitempty"`
	Count int64  `json:"count"`
}

func setReplicas(m *resMap, replicas []Replica, specs []fieldSpec) error {
	if len(replicas) == 0 {
		return nil
	}
	byName := m.byAnyName()
	for _, r := range replicas {
		found := false
		for i := range specs {
			for _, o := range byName[r.Name] {
				if !o.wasNamed(r.Name, specs[i].gvk) {
					continue
				}
				found = true
				if !o.gvk().selectedBy(specs[i].gvk) {
					continue
				}
				if err := specs[i].visit(o.root, func() *node { return newScalar(intTag, "0") }, func(n *node) error {
					return setScalar(n, intTag, strconv.FormatInt(r.Count, 10))
				}); err != nil {
					return err
				}
			}
		}
		if !found {
			kinds := make([]string, len(specs))
			for i := range specs {
				kinds[i] = specs[i].gvk.String()
			}
			return fmt.Errorf("resource with name %s does not match a config with the following GVK [%s]", r.Name, strings.Join(kinds, " "))
		}
	}
	return nil
}

// byAnyName finds resources by every name they have had.
func (m *resMap) byAnyName() map[string][]*Object {
	out := make(map[string][]*Object, len(m.list))
	for _, o := range m.list {
		add := func(name string) {
			if at := out[name]; len(at) == 0 || at[len(at)-1] != o {
				out[name] = append(at, o)
			}
		}
		for _, p := range o.past {
			add(p.name)
		}
		add(o.Name())
	}
	return out
}

func (o *Object) wasNamed(name string, g gvk) bool {
	for i := range o.past {
		if p := o.pastID(i); p.name == name && p.gvk.selectedBy(g) {
			return true
		}
	}
	return o.Name() == name && o.gvk().selectedBy(g)
}
