package kustomize

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// sortOptions is the content of sortOptions.
type sortOptions struct {
	Order  string       `json:"order,omitempty"`
	Legacy *legacyOrder `json:"legacySortOptions,omitempty"`
}

// legacyOrder names the kinds that come before and after all others.
type legacyOrder struct {
	First []string `json:"orderFirst"`
	Last  []string `json:"orderLast"`
}

// defaultOrder puts what others need before them, and webhooks last.
func defaultOrder() map[string]int {
	return rank(strings.Fields(`Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role
		ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume
		PersistentVolumeClaim Deployment StatefulSet CronJob PodDisruptionBudget`),
		[]string{"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
}

func rank(first, last []string) map[string]int {
	order := map[string]int{}
	for i, kind := range first {
		order[kind] = i - len(first)
	}
	for i, kind := range last {
		order[kind] = i + 1
	}
	return order
}

// sort puts the resources in their final order. What the kustomization says wins over the command line.
func (a *accumulator) sort(o *sortOptions, flag string, warn func(string)) error {
	if o == nil {
		if flag != "none" {
			return a.sortBy(defaultOrder())
		}
		return nil
	}
	if flag != "" {
		warn("Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). " +
			"Using the kustomization file over the CLI flag.")
	}
	switch o.Order {
	case "fifo":
		if o.Legacy != nil {
			return errors.New("the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'")
		}
	case "legacy":
		if o.Legacy == nil {
			return a.sortBy(defaultOrder())
		}
		return a.sortBy(rank(o.Legacy.First, o.Legacy.Last))
	default:
		return fmt.Errorf("the field 'sortOptions.order' must be one of [fifo, legacy], not '%s'", o.Order)
	}
	return nil
}

func (a *accumulator) sortBy(order map[string]int) error {
	type ranked struct {
		id    id
		place int
		key   string
		o     *Object
	}
	list := make([]ranked, len(a.list))
	places := places{of: map[gvk]int{}}
	for i, o := range a.list {
		now := o.id()
		list[i] = ranked{id: now, key: or(o.Namespace(), "~X") + "|" + or(now.name, "~N"), o: o}
		places.add(now.gvk)
	}
	places.sort(order)
	for i := range list {
		list[i].place = places.of[list[i].id.gvk]
	}
	slices.SortStableFunc(list, func(x, y ranked) int {
		return cmp.Or(cmp.Compare(x.place, y.place), strings.Compare(x.key, y.key))
	})
	seen := make(map[id]bool, len(list))
	for i, r := range list {
		if seen[r.id] {
			return fmt.Errorf("may not add resource with an already registered id: %s: two resources have become one", r.id)
		}
		seen[r.id] = true
		a.list[i] = r.o
	}
	return nil
}

// places are those of kinds in an order. Kinds are few, so theirs is found before that of what is of a kind.
type places struct {
	kinds []gvk
	of    map[gvk]int
}

func (p *places) add(g gvk) {
	if _, ok := p.of[g]; !ok {
		p.kinds = append(p.kinds, g)
		p.of[g] = 0
	}
}

func (p *places) sort(order map[string]int) {
	sort.SliceStable(p.kinds, func(i, j int) bool { return gvkLess(p.kinds[i], p.kinds[j], order) })
	for i, g := range p.kinds {
		p.of[g] = i
	}
}

func gvkLess(x, y gvk, order map[string]int) bool {
	if i, j := order[x.Kind], order[y.Kind]; i != j {
		return i < j
	}
	if x.Kind == "Namespace" && y.Kind == "Namespace" && (x.Group == "" || y.Group == "") {
		x, y = y, x
	}
	return sortKey(x) < sortKey(y)
}

func sortKey(g gvk) string {
	return or(g.Group, "~G") + "_" + or(g.Version, "~V") + "_" + or(g.Kind, "~K")
}
