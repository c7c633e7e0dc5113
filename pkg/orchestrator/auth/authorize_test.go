package auth

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// ask reads "VERB RESOURCE[/SUB][.GROUP] [NAMESPACE/]NAME" or "VERB /path".
func ask(user User, text string) Attributes {
	words := strings.Fields(text)
	a := Attributes{User: &user, Verb: words[0]}
	if strings.HasPrefix(words[1], "/") {
		a.Path = words[1]
		return a
	}
	a.ResourceRequest = true
	resource, group, _ := strings.Cut(words[1], ".")
	a.Group = group
	a.Resource, a.Subresource, _ = strings.Cut(resource, "/")
	for _, w := range words[2:] {
		if selector, ok := strings.CutPrefix(w, "?"); ok {
			a.Fields = fields.ParseSelectorOrDie(selector)
			continue
		}
		namespace, name, ok := strings.Cut(w, "/")
		if !ok {
			namespace, name = "", w
		}
		a.Namespace, a.Name = namespace, name
	}
	return a
}

func TestAuthorize(t *testing.T) {
	mine := &corev1.Pod{ObjectMeta: meta("shop", "web-0", "1")}
	mine.Spec.NodeName, mine.Spec.ServiceAccountName = "node-1", "web"
	mine.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "pull"}}
	mine.Spec.Volumes = []corev1.Volume{
		{VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "volume"}}},
		{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}}},
		}}}},
	}
	mine.Spec.InitContainers = []corev1.Container{{EnvFrom: []corev1.EnvFromSource{{
		SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "env"}},
	}}}}
	theirs := &corev1.Pod{ObjectMeta: meta("shop", "web-1", "2")}
	theirs.Spec.NodeName = "node-2"
	rights := NewRights(stored{"pods/shop/web-0": mine, "pods/shop/web-1": theirs})

	const unrelated = "no relationship found between node 'node-1' and this object"
	node, jane := Node("node-1"), User{Name: "jane", Groups: []string{GroupAuthenticated}}
	for _, c := range []struct {
		user   User
		ask    string
		want   bool
		reason string
	}{
		{Admin(), "delete namespaces shop", true, ""},
		{Admin(), "get /metrics", true, ""},
		{ControlPlane(UserControllerManager), "create pods shop/x", true, ""},
		{ServiceAccount("kube-system", "deployment-controller", ""), "update deployments/status.apps shop/x", true, ""},
		{ServiceAccount("kube-system", "generic-garbage-collector", ""), "delete pods shop/x", true, ""},
		{ServiceAccount("shop", "deployment-controller", ""), "get pods shop/x", false, ""},
		{ServiceAccount("kube-system", "default", ""), "get pods kube-system/x", false, ""},
		{ControlPlane(UserScheduler), "create pods/binding shop/x", true, ""},
		{ControlPlane(UserScheduler), "patch pods/status shop/x", true, ""},
		{ControlPlane(UserScheduler), "get secrets shop/x", false, ""},
		{ControlPlane(UserScheduler), "create pods shop/x", false, ""},

		{jane, "get /api", true, ""},
		{jane, "get /apis/apps/v1", true, ""},
		{jane, "get /openapi/v3/api/v1", true, ""},
		{jane, "get /readyz/store", true, ""},
		{jane, "get /version", true, ""},
		{jane, "get /versions", false, ""},
		{jane, "get /metrics", false, ""},
		{jane, "post /api", false, ""},
		{jane, "create selfsubjectreviews.authentication.k8s.io", true, ""},
		{jane, "create selfsubjectaccessreviews.authorization.k8s.io", true, ""},
		{jane, "create subjectaccessreviews.authorization.k8s.io", false, ""},
		{jane, "list pods default/", false, ""},
		{User{Name: "system:anonymous", Groups: []string{"system:unauthenticated"}}, "get /version", false, ""},
		{User{}, "get /version", false, ""},
		{User{Name: "system:node:node-1", Groups: []string{GroupAuthenticated}}, "get nodes node-1", false, ""},
		{User{Name: "system:node:", Groups: []string{GroupNodes, GroupAuthenticated}}, "get nodes x", false, `unknown node for user "system:node:"`},

		{node, "get /api", true, ""},
		{node, "get nodes node-1", true, ""},
		{node, "watch nodes node-1", true, ""},
		{node, "get nodes node-2", false, "node 'node-1' cannot read 'node-2', only its own Node object"},
		{node, "list nodes", false, "node 'node-1' cannot read all nodes, only its own Node object"},
		{node, "create nodes", true, ""},
		{node, "patch nodes/status node-1", true, ""},
		{node, "delete nodes node-1", false, ""},
		{node, "list pods ?spec.nodeName=node-1", true, ""},
		{node, "watch pods ?spec.nodeName=node-2", false, "can only list/watch pods with spec.nodeName field selector"},
		{node, "list pods", false, "can only list/watch pods with spec.nodeName field selector"},
		{node, "get pods shop/web-0", true, ""},
		{node, "get pods shop/web-1", false, unrelated},
		{node, "get pods shop/missing", false, unrelated},
		{node, "patch pods/status shop/web-0", true, ""},
		{node, "delete pods shop/web-0", true, ""},
		{node, "create pods/binding shop/web-0", false, ""},
		{node, "update pods shop/web-0", false, ""},
		{node, "get secrets shop/pull", true, ""},
		{node, "get secrets shop/volume", true, ""},
		{node, "watch secrets shop/env", true, ""},
		{node, "get secrets shop/other", false, unrelated},
		{node, "get secrets other/pull", false, unrelated},
		{node, "list secrets shop/", false, "No Object name found"},
		{node, "list secrets", false, "can only read namespaced object of this type"},
		{node, "delete secrets shop/pull", false, "can only read resources of this type"},
		{node, "get configmaps shop/kube-root-ca.crt", true, ""},
		{node, "get configmaps shop/pull", false, unrelated},
		{node, "get serviceaccounts shop/web", true, ""},
		{node, "create serviceaccounts/token shop/web", true, ""},
		{node, "create serviceaccounts/token shop/default", false, unrelated},
		{node, "create serviceaccounts shop/web", false, "can only create token subresource of serviceaccount"},
		{node, "list serviceaccounts shop/", false, "can only create tokens for individual service accounts"},
		{node, "update leases.coordination.k8s.io kube-node-lease/node-1", true, ""},
		{node, "create leases.coordination.k8s.io kube-node-lease/", true, ""},
		{node, "update leases.coordination.k8s.io kube-node-lease/node-2", false, "can only access node lease with the same name as the requesting node"},
		{node, "get leases.coordination.k8s.io kube-system/node-1", false, `can only access leases in the "kube-node-lease" system namespace`},
		{node, "list leases.coordination.k8s.io kube-node-lease/", false, "can only get, create, update, patch, or delete a node lease"},
		{node, "create events shop/", true, ""},
		{node, "watch services", true, ""},
		{node, "watch endpointslices.discovery.k8s.io", true, ""},
		{node, "update services shop/x", false, ""},
		{node, "get deployments.apps shop/x", false, ""},
	} {
		got, reason, err := rights.Authorize(t.Context(), ask(c.user, c.ask))
		if err != nil || got != c.want || reason != c.reason {
			t.Errorf("%s: %s: got %v %q, %v; want %v %q", c.user.Name, c.ask, got, reason, err, c.want, c.reason)
		}
	}
}
