package endpointslice

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// maxEndpoints is how many endpoints a slice holds.
const maxEndpoints = 100

// plan is what to write.
type plan struct {
	create, update, remove []*discoveryv1.EndpointSlice
}

// makePlan compares slices with what is wanted. Endpoints stay in the slice where they are; new ones fill slices that change
// anyway, then one that has room for all of them, then new slices. A service without endpoints keeps one empty slice.
func makePlan(s *corev1.Service, wanted []*group, existing []*discoveryv1.EndpointSlice) plan {
	existing = slices.Clone(existing)
	slices.SortFunc(existing, func(a, b *discoveryv1.EndpointSlice) int { return cmp.Compare(a.Name, b.Name) })
	var whole plan
	rest := existing
	for _, family := range families(s) {
		var ofFamily []*discoveryv1.EndpointSlice
		ofFamily, rest = split(rest, func(e *discoveryv1.EndpointSlice) bool { return e.AddressType == family })
		p := planFamily(s, family, wanted, ofFamily)
		whole.create = append(whole.create, p.create...)
		whole.update = append(whole.update, p.update...)
		whole.remove = append(whole.remove, p.remove...)
	}
	whole.remove = append(whole.remove, rest...)
	return whole
}

func planFamily(s *corev1.Service, family discoveryv1.AddressType, wanted []*group, existing []*discoveryv1.EndpointSlice) plan {
	var p plan
	rest, foreign := split(existing, func(e *discoveryv1.EndpointSlice) bool { return owned(e, s) })
	for _, g := range wanted {
		if g.family != family {
			continue
		}
		var same []*discoveryv1.EndpointSlice
		key := portsKey(g.ports)
		same, rest = split(rest, func(e *discoveryv1.EndpointSlice) bool { return portsKey(e.Ports) == key })
		planGroup(&p, s, g, same)
	}
	p.remove = append(p.remove, rest...)
	p.remove = append(p.remove, foreign...)
	if len(existing) == len(p.remove) && len(p.create) == 0 {
		empty := newSlice(s, &group{family: family, ports: []discoveryv1.EndpointPort{}})
		if len(p.remove) == 1 && isEmpty(p.remove[0], empty) && owned(p.remove[0], s) {
			return plan{}
		}
		p.create = append(p.create, empty)
	}
	return p.reuse(s)
}

func planGroup(p *plan, s *corev1.Service, g *group, existing []*discoveryv1.EndpointSlice) {
	open := map[string]discoveryv1.Endpoint{}
	var order []string
	for _, e := range g.endpoints {
		id := identity(&e)
		open[id] = e
		order = append(order, id)
	}
	var same, changed []*discoveryv1.EndpointSlice
	for _, slice := range existing {
		kept, different := keep(slice, open)
		labels := sliceLabels(s)
		switch {
		case different && len(kept) == 0:
			p.remove = append(p.remove, slice)
		case different || !maps.Equal(slice.Labels, labels):
			next := slice.DeepCopy()
			next.Endpoints, next.Labels = kept, labels
			changed = append(changed, next)
		default:
			same = append(same, slice)
		}
	}
	var left []discoveryv1.Endpoint
	for _, id := range order {
		if e, ok := open[id]; ok {
			left = append(left, e)
		}
	}
	slices.SortStableFunc(changed, func(a, b *discoveryv1.EndpointSlice) int { return cmp.Compare(len(b.Endpoints), len(a.Endpoints)) })
	for _, slice := range changed {
		left = fill(slice, left)
	}
	if slice := roomiest(same, len(left)); slice != nil {
		next := slice.DeepCopy()
		left = fill(next, left)
		changed = append(changed, next)
	}
	for len(left) > 0 {
		slice := newSlice(s, g)
		left = fill(slice, left)
		p.create = append(p.create, slice)
	}
	p.update = append(p.update, changed...)
}

// keep gives the slice's endpoints that are still wanted, in their present state, and takes them out of open.
func keep(slice *discoveryv1.EndpointSlice, open map[string]discoveryv1.Endpoint) (kept []discoveryv1.Endpoint, changed bool) {
	for i := range slice.Endpoints {
		id := identity(&slice.Endpoints[i])
		e, ok := open[id]
		if !ok {
			changed = true
			continue
		}
		delete(open, id)
		changed = changed || !apiequality.Semantic.DeepEqual(e, slice.Endpoints[i])
		kept = append(kept, e)
	}
	return kept, changed
}

// fill moves endpoints into a slice until it is full and gives the others.
func fill(slice *discoveryv1.EndpointSlice, left []discoveryv1.Endpoint) []discoveryv1.Endpoint {
	n := min(len(left), max(0, maxEndpoints-len(slice.Endpoints)))
	slice.Endpoints = append(slice.Endpoints, left[:n]...)
	return left[n:]
}

// roomiest gives the slice that n more endpoints fill best; nil if none has the room.
func roomiest(existing []*discoveryv1.EndpointSlice, n int) *discoveryv1.EndpointSlice {
	var best *discoveryv1.EndpointSlice
	for _, slice := range existing {
		if n == 0 || n >= maxEndpoints || len(slice.Endpoints)+n > maxEndpoints {
			continue
		}
		if best == nil || len(slice.Endpoints) > len(best.Endpoints) {
			best = slice
		}
	}
	return best
}

// reuse turns a creation with a removal beside it into an update.
func (p plan) reuse(s *corev1.Service) plan {
	var remove []*discoveryv1.EndpointSlice
	for _, old := range p.remove {
		n := len(p.create)
		if n == 0 || !owned(old, s) {
			remove = append(remove, old)
			continue
		}
		slice := p.create[n-1]
		slice.Name, slice.GenerateName, slice.ResourceVersion = old.Name, old.GenerateName, old.ResourceVersion
		p.create, p.update = p.create[:n-1], append(p.update, slice)
	}
	p.remove = remove
	return p
}

func newSlice(s *corev1.Service, g *group) *discoveryv1.EndpointSlice {
	prefix := s.Name + "-"
	if len(validation.NameIsDNSSubdomain(prefix, true)) > 0 {
		prefix = s.Name
	}
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace, GenerateName: prefix, Labels: sliceLabels(s),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(s, corev1.SchemeGroupVersion.WithKind("Service"))},
		},
		AddressType: g.family,
		Ports:       g.ports,
		Endpoints:   []discoveryv1.Endpoint{},
	}
}

// sliceLabels are the service's labels with ours on top.
func sliceLabels(s *corev1.Service) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, s.Labels)
	delete(labels, corev1.IsHeadlessService)
	if controller.IsHeadless(s) {
		labels[corev1.IsHeadlessService] = ""
	}
	labels[discoveryv1.LabelServiceName] = s.Name
	labels[discoveryv1.LabelManagedBy] = managedBy
	return labels
}

func isEmpty(slice, empty *discoveryv1.EndpointSlice) bool {
	return len(slice.Endpoints) == 0 && len(slice.Ports) == 0 && maps.Equal(slice.Labels, empty.Labels)
}

func owned(slice *discoveryv1.EndpointSlice, s *corev1.Service) bool {
	return slices.ContainsFunc(slice.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == s.UID })
}

// identity says which endpoint it is, apart from its conditions.
func identity(e *discoveryv1.Endpoint) string {
	parts := []string{strings.Join(e.Addresses, ","), value(e.Hostname), value(e.NodeName)}
	if e.TargetRef != nil {
		parts = append(parts, e.TargetRef.Namespace, e.TargetRef.Name, string(e.TargetRef.UID))
	}
	return strings.Join(parts, " ")
}

func split(all []*discoveryv1.EndpointSlice, in func(*discoveryv1.EndpointSlice) bool) (yes, no []*discoveryv1.EndpointSlice) {
	for _, slice := range all {
		if in(slice) {
			yes = append(yes, slice)
		} else {
			no = append(no, slice)
		}
	}
	return yes, no
}
