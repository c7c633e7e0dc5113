package kustfile

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/kubeskiff/skiff/pkg/kustomize"
)

// ParseReplicas reads the arguments of "edit set replicas"; the last for a name counts.
func ParseReplicas(args []string) ([]kustomize.Replica, error) {
	if len(args) == 0 {
		return nil, errors.New("no replicas specified")
	}
	var out []kustomize.Replica
	for _, arg := range args {
		name, text, _ := strings.Cut(arg, "=")
		count, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, errors.New("invalid format of replica, use the following format: <name>=<count>")
		}
		out = putReplica(out, kustomize.Replica{Name: name, Count: count})
	}
	return out, nil
}

func putReplica(list []kustomize.Replica, r kustomize.Replica) []kustomize.Replica {
	if i := slices.IndexFunc(list, func(o kustomize.Replica) bool { return o.Name == r.Name }); i >= 0 {
		list[i] = r
		return list
	}
	return append(list, r)
}

// SetReplicas puts counts in the place of those of the same names. Of a name that the file has twice the first stays, and
// the list is sorted by name.
func (f *File) SetReplicas(replicas []kustomize.Replica) {
	for _, old := range f.Replicas {
		if !slices.ContainsFunc(replicas, func(o kustomize.Replica) bool { return o.Name == old.Name }) {
			replicas = append(replicas, old)
		}
	}
	slices.SortFunc(replicas, func(a, b kustomize.Replica) int { return strings.Compare(a.Name, b.Name) })
	f.Replicas = replicas
}
