package admission

import (
	"context"
	"maps"
	"slices"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubeletapis "k8s.io/kubelet/pkg/apis"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// NodeRestriction holds each node to its own Node, its own Lease and the pods that are bound to it, whatever the authorizer
// lets all nodes do.
type NodeRestriction struct{ reader Reader }

// NewNodeRestriction makes the plugin.
func NewNodeRestriction(reader Reader) *NodeRestriction { return &NodeRestriction{reader} }

// Name is upstream's.
func (*NodeRestriction) Name() string { return "NodeRestriction" }

// Admit judges requests of nodes; all others pass.
func (n *NodeRestriction) Admit(ctx context.Context, r *Request) error {
	node, isNode := auth.NodeOf(r.User)
	switch {
	case !isNode || r.Verb == Connect:
		return nil
	case node == "":
		return r.forbidden("could not determine node from user %q", r.User.Name)
	}
	switch r.Kind.GroupResource() {
	case schema.GroupResource{Resource: "pods"}:
		return n.pod(ctx, node, r)
	case schema.GroupResource{Resource: "nodes"}:
		return restrictNode(node, r)
	case schema.GroupResource{Resource: "serviceaccounts"}:
		return n.token(ctx, node, r)
	case schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}:
		return restrictLease(node, r)
	}
	return nil
}

func (n *NodeRestriction) pod(ctx context.Context, node string, r *Request) error {
	switch {
	case r.Subresource == "" && r.Verb == Create:
		return n.createPod(ctx, node, r)
	case r.Subresource == "" && r.Verb == Delete:
		return n.bound(ctx, r, r.Name, node, "node %q can only delete pods with spec.nodeName set to itself", node)
	case r.Subresource == "":
		return r.forbidden("unexpected operation %q, node %q can only create and delete mirror pods", r.Verb, node)
	case r.Subresource == "status":
		return podStatus(node, r)
	case r.Subresource == "eviction" && r.Verb == Create:
		name := r.Name
		if name == "" && r.Object != nil {
			name = r.Object.GetName()
		}
		if name == "" {
			return r.forbidden("could not determine pod from request data")
		}
		return n.bound(ctx, r, name, node, "node %s can only evict pods with spec.nodeName set to itself", node)
	case r.Subresource == "eviction":
		return r.forbidden("unexpected operation %s", r.Verb)
	}
	return r.forbidden("unexpected pod subresource %q, only 'status' and 'eviction' are allowed", r.Subresource)
}

// bound refuses with the given text unless the stored pod is bound to node.
func (n *NodeRestriction) bound(ctx context.Context, r *Request, name, node, format string, args ...any) error {
	pod, err := n.stored(ctx, r, name)
	if err != nil {
		return err
	}
	if pod.Spec.NodeName != node {
		return r.forbidden(format, args...)
	}
	return nil
}

func (n *NodeRestriction) stored(ctx context.Context, r *Request, name string) (*corev1.Pod, error) {
	obj, err := n.reader.Get(ctx, schema.GroupResource{Resource: "pods"}, r.Namespace, name)
	if apierrors.IsNotFound(err) {
		return nil, err
	}
	if err != nil {
		return nil, r.forbidden("%w", err)
	}
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return nil, r.forbidden("unexpected type %T", obj)
	}
	return pod, nil
}

func podStatus(node string, r *Request) error {
	if r.Verb != Update {
		return r.forbidden("unexpected operation %q", r.Verb)
	}
	old, ok := r.Old.(*corev1.Pod)
	if !ok {
		return r.forbidden("unexpected type %T", r.Old)
	}
	if old.Spec.NodeName != node {
		return r.forbidden("node %q can only update pod status for pods with spec.nodeName set to itself", node)
	}
	pod, ok := r.Object.(*corev1.Pod)
	if !ok {
		return r.forbidden("unexpected type %T", r.Object)
	}
	if !maps.Equal(old.Labels, pod.Labels) {
		return r.forbidden("node %q cannot update labels through pod status", node)
	}
	return nil
}

// createPod lets a node create mirror pods alone: of its own, owned by its Node, and reaching for nothing of the API.
func (n *NodeRestriction) createPod(ctx context.Context, node string, r *Request) error {
	pod, ok := r.Object.(*corev1.Pod)
	if !ok {
		return r.forbidden("unexpected type %T", r.Object)
	}
	if _, mirror := pod.Annotations[mirrorAnnotation]; !mirror {
		return r.forbidden("pod does not have %q annotation, node %q can only create mirror pods", mirrorAnnotation, node)
	}
	if pod.Spec.NodeName != node {
		return r.forbidden("node %q can only create pods with spec.nodeName set to itself", node)
	}
	if err := n.owner(ctx, node, r, pod); err != nil {
		return err
	}
	if what := reachesFor(pod); what != "" {
		return r.forbidden("node %q can not create pods that reference %s", node, what)
	}
	return nil
}

func (n *NodeRestriction) owner(ctx context.Context, node string, r *Request, pod *corev1.Pod) error {
	if len(pod.OwnerReferences) > 1 {
		return r.forbidden("node %q can only create pods with a single owner reference set to itself", node)
	}
	if len(pod.OwnerReferences) == 0 {
		return r.forbidden("node %q can only create pods with an owner reference set to itself", node)
	}
	switch owner := pod.OwnerReferences[0]; {
	case owner.APIVersion != "v1" || owner.Kind != "Node" || owner.Name != node:
		return r.forbidden("node %q can only create pods with an owner reference set to itself", node)
	case owner.Controller == nil || !*owner.Controller:
		return r.forbidden("node %q can only create pods with a controller owner reference set to itself", node)
	case owner.BlockOwnerDeletion != nil && *owner.BlockOwnerDeletion:
		return r.forbidden("node %q must not set blockOwnerDeletion on an owner reference", node)
	default:
		obj, err := n.reader.Get(ctx, schema.GroupResource{Resource: "nodes"}, "", node)
		switch {
		case apierrors.IsNotFound(err):
			return err
		case err != nil:
			return r.forbidden("error looking up node %s to verify uid: %w", node, err)
		case obj.GetUID() != owner.UID:
			return r.forbidden("node %s UID mismatch: expected %s got %s", node, owner.UID, obj.GetUID())
		}
	}
	return nil
}

// reachesFor names what of the API a pod refers to; empty if nothing.
func reachesFor(pod *corev1.Pod) string {
	refs := auth.ReferencesOf(pod)
	switch {
	case pod.Spec.ServiceAccountName != "":
		return "serviceaccounts"
	case len(refs.Secrets) > 0:
		return "secrets"
	case len(refs.ConfigMaps) > 0:
		return "configmaps"
	case len(pod.Spec.ResourceClaims) > 0:
		return "resourceclaims"
	}
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.PersistentVolumeClaim != nil:
			return "persistentvolumeclaims"
		case v.Ephemeral != nil:
			return "persistentvolumeclaims (via ephemeral volumes)"
		case v.CSI != nil:
			return "csidrivers (via CSI volumes)"
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				if s.ServiceAccountToken != nil {
					return "serviceaccounts (via projected volumes)"
				}
			}
		}
	}
	return ""
}

// restrictNode lets a node write its own Node, but not steer pods to itself by labels or taints.
func restrictNode(name string, r *Request) error {
	requested := r.Name
	if requested == "" && r.Object != nil {
		requested = r.Object.GetName()
	}
	if requested != name {
		return r.forbidden("node %q is not allowed to modify node %q", name, requested)
	}
	if r.Verb != Create && r.Verb != Update {
		return nil
	}
	node, ok := r.Object.(*corev1.Node)
	if !ok {
		return r.forbidden("unexpected type %T", r.Object)
	}
	if r.Verb == Create {
		if bad := forbiddenLabels(node.Labels, nil); len(bad) > 0 {
			return r.forbidden("node %q is not allowed to set the following labels: %s", name, strings.Join(bad, ", "))
		}
		return nil
	}
	old, ok := r.Old.(*corev1.Node)
	if !ok {
		return r.forbidden("unexpected type %T", r.Old)
	}
	if !equality.Semantic.DeepEqual(node.Spec.Taints, old.Spec.Taints) {
		return r.forbidden("node %q is not allowed to modify taints", name)
	}
	if !equality.Semantic.DeepEqual(node.OwnerReferences, old.OwnerReferences) {
		return r.forbidden("node %q is not allowed to modify ownerReferences", name)
	}
	if bad := forbiddenLabels(node.Labels, old.Labels); len(bad) > 0 {
		return r.forbidden("is not allowed to modify labels: %s", strings.Join(bad, ", "))
	}
	return nil
}

// forbiddenLabels lists, sorted, the changed labels that are not a node's to change.
func forbiddenLabels(now, before map[string]string) []string {
	bad := map[string]bool{}
	for _, pair := range [][2]map[string]string{{now, before}, {before, now}} {
		for k, v := range pair[0] {
			if other, ok := pair[1][k]; (!ok || other != v) && reserved(k) {
				bad[k] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(bad))
}

func reserved(label string) bool {
	domain, _, ok := strings.Cut(label, "/")
	if !ok {
		return false
	}
	under := func(parent string) bool { return domain == parent || strings.HasSuffix(domain, "."+parent) }
	return under(corev1.LabelNamespaceNodeRestriction) ||
		(under("kubernetes.io") || under("k8s.io")) && !kubeletapis.IsKubeletLabel(label)
}

// token lets a node have tokens for pods that run on it, and only with an audience that such a pod mounts.
func (n *NodeRestriction) token(ctx context.Context, node string, r *Request) error {
	if r.Verb != Create || r.Subresource != "token" {
		return nil
	}
	request, ok := any(r.Object).(*authenticationv1.TokenRequest)
	if !ok {
		return r.forbidden("unexpected type %T", r.Object)
	}
	ref := request.Spec.BoundObjectRef
	switch {
	case ref == nil || ref.APIVersion != "v1" || ref.Kind != "Pod" || ref.Name == "":
		return r.forbidden("node requested token not bound to a pod")
	case ref.UID == "":
		return r.forbidden("node requested token with a pod binding without a uid")
	}
	pod, err := n.stored(ctx, r, ref.Name)
	switch {
	case err != nil:
		return err
	case ref.UID != pod.UID:
		return r.forbidden("the UID in the bound object reference (%s) does not match the UID in record. The object might have been deleted and then recreated", ref.UID)
	case pod.Spec.NodeName != node:
		return r.forbidden("node requested token bound to a pod scheduled on a different node")
	case len(request.Spec.Audiences) > 1:
		return r.forbidden("node may only request 0 or 1 audiences")
	}
	audience := strings.Join(request.Spec.Audiences, "")
	for _, v := range pod.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, s := range v.Projected.Sources {
			if s.ServiceAccountToken != nil && s.ServiceAccountToken.Audience == audience {
				return nil
			}
		}
	}
	return r.forbidden("%s is not authorized to request tokens for audience %q", r.User.Name, audience)
}

func restrictLease(node string, r *Request) error {
	if r.Namespace != corev1.NamespaceNodeLease {
		return r.forbidden("can only access leases in the %q system namespace", corev1.NamespaceNodeLease)
	}
	name := r.Name
	if r.Verb == Create && r.Object != nil {
		name = r.Object.GetName()
	}
	if name != node {
		return r.forbidden("can only access node lease with the same name as the requesting node")
	}
	return nil
}
