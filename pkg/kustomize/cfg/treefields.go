package cfg

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// podContainers are where workloads keep their containers.
var podContainers = [...]string{"spec.containers", "spec.template.spec.containers", "spec.jobTemplate.spec.template.spec.containers"}

// ContainerFields gives the paths of a field of every container, wherever a workload keeps them.
func ContainerFields(name string) [][]string {
	var out [][]string
	for _, at := range podContainers {
		out = append(out, append(strings.Split(at, "."), "[name=.*]", name))
	}
	return out
}

// group names the containers that a path is about.
func group(path []string) string {
	joined := strings.Join(path, ".")
	for _, at := range podContainers {
		if strings.HasPrefix(joined, at) {
			return at
		}
	}
	return ""
}

// drawn is what a tree shows of a field: a value, or for containers values by the container.
type drawn struct {
	value    string
	elements map[string][][2]string
}

// drawFields adds the fields that were asked for, in their usual order, containers by number.
func (t *Tree) drawFields(at *branch, o *Object) error {
	found := map[string]*drawn{}
	for _, path := range t.Fields {
		matches, err := lookup(o.root, path)
		if err != nil {
			return err
		}
		if len(matches) == 0 {
			continue
		}
		name := group(path)
		if name == "" {
			name = strings.Join(path, ".")
			matches = matches[:1]
		}
		f := found[name]
		if f == nil {
			f = &drawn{elements: map[string][][2]string{}}
			found[name] = f
		}
		for _, m := range matches {
			strip(m.node)
			s, err := line(m.node)
			if err != nil {
				return err
			}
			if group(path) == "" {
				f.value = s
				continue
			}
			key := strings.Join(m.keys, "/")
			f.elements[key] = append(f.elements[key], [2]string{path[len(path)-1], s})
		}
	}
	rank := order()
	byField := func(a, b string) int { return compareFields(rank, a, b) }
	for _, name := range slices.SortedFunc(maps.Keys(found), byField) {
		f := found[name]
		if len(f.elements) == 0 {
			at.add(name + ": " + f.value)
			continue
		}
		list := at.add(name)
		for i, key := range slices.SortedFunc(maps.Keys(f.elements), byField) {
			element := list.add(strconv.Itoa(i))
			values := f.elements[key]
			slices.SortStableFunc(values, func(a, b [2]string) int { return compareFields(rank, a[0], b[0]) })
			for _, v := range values {
				element.add(v[0] + ": " + v[1])
			}
		}
	}
	return nil
}
