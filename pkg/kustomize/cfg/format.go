package cfg

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed fieldorder.txt
var fieldOrder string

// order ranks fields: those that are known come first, in their order.
func order() map[string]int {
	out := map[string]int{}
	for i, name := range strings.Fields(fieldOrder) {
		out[name] = i + 1
	}
	return out
}

// compareFields puts known fields first, in their order, and others behind them by name.
func compareFields(rank map[string]int, a, b string) int {
	x, y := rank[a], rank[b]
	switch {
	case x > 0 && y > 0:
		return x - y
	case x > 0:
		return -1
	case y > 0:
		return 1
	}
	return strings.Compare(a, b)
}

// The kinds and versions whose lists are sorted too, and by which field: containers, and the operations of webhooks.
const (
	sortedKinds    = " CronJob DaemonSet Deployment Job ReplicaSet StatefulSet ValidatingWebhookConfiguration "
	sortedVersions = " apps/v1 apps/v1beta1 apps/v1beta2 batch/v1 batch/v1beta1 extensions/v1beta1 v1 admissionregistration.k8s.io/v1 "
	containers     = ".spec.template.spec.containers"
	operations     = ".webhooks.rules.operations"
)

// Format puts the fields of objects in their usual order. One can refuse by annotation.
func Format(objects []*Object) error {
	f := formatter{rank: order()}
	for _, o := range objects {
		switch strategy := o.annotation("config.kubernetes.io/formatting"); strategy {
		case "none":
			continue
		case "", "standard":
		default:
			return fmt.Errorf("formatting annotation has illegal value %s", strategy)
		}
		if field(o.root, "kind") == nil || field(o.root, "apiVersion") == nil {
			continue
		}
		f.lists = strings.Contains(sortedKinds, " "+o.kind()+" ") && strings.Contains(sortedVersions, " "+o.apiVersion()+" ")
		f.format(o.root, "")
	}
	return nil
}

type formatter struct {
	rank  map[string]int
	lists bool
}

func (f *formatter) format(n *yaml.Node, path string) {
	switch n.Kind {
	case yaml.MappingNode:
		sortFields(n, f.rank)
		for i := 0; i+1 < len(n.Content); i += 2 {
			f.format(n.Content[i+1], path+"."+n.Content[i].Value)
		}
		return
	case yaml.SequenceNode:
		if f.lists && (path == containers || path == operations) {
			slices.SortStableFunc(n.Content, func(a, b *yaml.Node) int { return cmp.Compare(sortKey(a), sortKey(b)) })
		}
	}
	for _, c := range n.Content {
		f.format(c, path)
	}
}

func sortKey(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		if name := field(n, "name"); name != nil {
			return name.Value
		}
	}
	return n.Value
}

func sortFields(n *yaml.Node, rank map[string]int) {
	type pair struct{ key, value *yaml.Node }
	var pairs []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		pairs = append(pairs, pair{n.Content[i], n.Content[i+1]})
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return compareFields(rank, a.key.Value, b.key.Value) })
	for i, p := range pairs {
		n.Content[2*i], n.Content[2*i+1] = p.key, p.value
	}
}
