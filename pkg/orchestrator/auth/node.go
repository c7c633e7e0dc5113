package auth

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// NodeOf says whether a user is a node, and which; the name is empty where the user names none.
func NodeOf(u *User) (name string, ok bool) {
	if u == nil || !u.In(GroupNodes) {
		return "", false
	}
	if name, ok = strings.CutPrefix(u.Name, nodePrefix); !ok {
		return "", false
	}
	return name, true
}

// nodeRules are what every node may do, whichever objects it is about; NodeRestriction narrows the writes further.
var nodeRules = rules{
	{"", "services", "get list watch"},
	{"discovery.k8s.io", "endpointslices", "get list watch"}, // the node's network is part of its agent, as kube-proxy is not
	{"", "namespaces", "get list watch"},
	{"", "endpoints", "get"},
	{"", "events", "create update patch"},
	{"events.k8s.io", "events", "create update patch"},
	{"", "nodes/status", "update patch"},
	{"", "pods", "create delete"},
	{"", "pods/status", "update patch"},
	{"", "pods/eviction", "create"},
	{"authentication.k8s.io", "tokenreviews", "create"},
	{"authorization.k8s.io", "subjectaccessreviews localsubjectaccessreviews", "create"},
	{"node.k8s.io", "runtimeclasses", "get list watch"},
	{"certificates.k8s.io", "certificatesigningrequests", "create get list watch"},
}

// authorizeNode lets a node read what the pods bound to it refer to, and no more.
func (z *Rights) authorizeNode(ctx context.Context, node string, a Attributes) (bool, string, error) {
	if node == "" {
		return false, fmt.Sprintf("unknown node for user %q", a.User.Name), nil
	}
	switch (schema.GroupResource{Group: a.Group, Resource: a.Resource}) {
	case schema.GroupResource{Resource: "secrets"}:
		return z.readByReference(ctx, node, a, func(p *corev1.Pod) bool { return ReferencesOf(p).Secrets[a.Name] })
	case schema.GroupResource{Resource: "configmaps"}:
		return z.readByReference(ctx, node, a, func(p *corev1.Pod) bool { return ReferencesOf(p).ConfigMaps[a.Name] })
	case schema.GroupResource{Resource: "serviceaccounts"}:
		return z.serviceAccount(ctx, node, a)
	case schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}:
		return nodeLease(node, a)
	case schema.GroupResource{Resource: "nodes"}:
		if a.Subresource == "" {
			return ownNode(node, a)
		}
	case schema.GroupResource{Resource: "pods"}:
		if a.Subresource == "" && isRead(a.Verb) {
			return z.readPods(ctx, node, a)
		}
	}
	return nodeRules.allow(a), "", nil
}

func isRead(verb string) bool { return verb == "get" || verb == "list" || verb == "watch" }

func (z *Rights) readByReference(ctx context.Context, node string, a Attributes, refers func(*corev1.Pod) bool) (bool, string, error) {
	switch {
	case !isRead(a.Verb):
		return false, "can only read resources of this type", nil
	case a.Subresource != "":
		return false, "cannot read subresource", nil
	case a.Namespace == "":
		return false, "can only read namespaced object of this type", nil
	case a.Name == "":
		return false, "No Object name found", nil
	}
	return z.related(ctx, node, a.Namespace, refers)
}

// related looks for a pod of the namespace that is bound to node and meets the condition.
func (z *Rights) related(ctx context.Context, node, namespace string, refers func(*corev1.Pod) bool) (bool, string, error) {
	pods, err := z.reader.List(ctx, schema.GroupResource{Resource: "pods"}, namespace, "spec.nodeName", node)
	if err != nil {
		return false, "", fmt.Errorf("list pods of node %s: %w", node, err)
	}
	for _, obj := range pods {
		if pod, ok := obj.(*corev1.Pod); ok && pod.Spec.NodeName == node && refers(pod) {
			return true, "", nil
		}
	}
	return false, fmt.Sprintf("no relationship found between node '%s' and this object", node), nil
}

func (z *Rights) serviceAccount(ctx context.Context, node string, a Attributes) (bool, string, error) {
	uses := func(p *corev1.Pod) bool { return p.Spec.ServiceAccountName == a.Name }
	switch {
	case a.Verb == "get" && a.Subresource == "":
		return z.readByReference(ctx, node, a, uses)
	case a.Verb != "create" || a.Name == "":
		return false, "can only create tokens for individual service accounts", nil
	case a.Subresource != "token":
		return false, "can only create token subresource of serviceaccount", nil
	}
	return z.related(ctx, node, a.Namespace, uses)
}

func nodeLease(node string, a Attributes) (bool, string, error) {
	switch a.Verb {
	case "get", "create", "update", "patch", "delete":
	default:
		return false, "can only get, create, update, patch, or delete a node lease", nil
	}
	if a.Namespace != corev1.NamespaceNodeLease {
		return false, fmt.Sprintf("can only access leases in the %q system namespace", corev1.NamespaceNodeLease), nil
	}
	// A create's name is in its body, which NodeRestriction sees.
	if a.Verb != "create" && a.Name != node {
		return false, "can only access node lease with the same name as the requesting node", nil
	}
	return true, "", nil
}

func ownNode(node string, a Attributes) (bool, string, error) {
	switch {
	case a.Verb == "create" || a.Verb == "update" || a.Verb == "patch":
		return true, "", nil
	case !isRead(a.Verb):
		return false, "", nil
	case a.Name == node:
		return true, "", nil
	case a.Name == "":
		return false, fmt.Sprintf("node '%s' cannot read all nodes, only its own Node object", node), nil
	}
	return false, fmt.Sprintf("node '%s' cannot read '%s', only its own Node object", node, a.Name), nil
}

// readPods: a list or watch must select the node's own pods; a single pod must be bound to the node.
func (z *Rights) readPods(ctx context.Context, node string, a Attributes) (bool, string, error) {
	if a.Verb != "get" && selects(a.Fields, "spec.nodeName", node) {
		return true, "", nil
	}
	if a.Name == "" {
		return false, "can only list/watch pods with spec.nodeName field selector", nil
	}
	obj, err := z.reader.Get(ctx, schema.GroupResource{Resource: "pods"}, a.Namespace, a.Name)
	if pod, ok := any(obj).(*corev1.Pod); err == nil && ok && pod.Spec.NodeName == node {
		return true, "", nil
	}
	return false, fmt.Sprintf("no relationship found between node '%s' and this object", node), nil
}

func selects(s fields.Selector, field, value string) bool {
	if s == nil {
		return false
	}
	got, ok := s.RequiresExactMatch(field)
	return ok && got == value
}
