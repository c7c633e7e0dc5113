package admission

import (
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

func onNode(name, node string, change ...func(*corev1.Pod)) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: meta("shop", name), Spec: corev1.PodSpec{NodeName: node}}
	for _, f := range change {
		f(pod)
	}
	return pod
}

func mirror(pod *corev1.Pod) { pod.Annotations = map[string]string{mirrorAnnotation: "x"} }

func owned(pod *corev1.Pod) {
	pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n1", UID: "n1-uid", Controller: new(true)}}
}

func node(name string, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: meta("", name)}
	for _, f := range change {
		f(n)
	}
	return n
}

func label(key string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels = map[string]string{key: "x"} }
}

func tokenFor(name string, uid types.UID, audiences ...string) *authenticationv1.TokenRequest {
	return &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: audiences, BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: name, UID: uid},
	}}
}

func TestNodeRestriction(t *testing.T) {
	plugin := NewNodeRestriction(stored{
		"nodes//n1": node("n1"),
		"pods/shop/mine": onNode("mine", "n1", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{Projected: tokenSource()}}}
		}),
		"pods/shop/theirs": onNode("theirs", "n2"),
	})
	lease := func(name string) api.Object { return &coordinationv1.Lease{ObjectMeta: meta("kube-node-lease", name)} }
	for _, c := range []struct {
		name string
		r    Request
		want string
	}{
		{"create a pod", Request{Kind: podKind, Verb: Create, Object: onNode("x", "n1")},
			`pods "x" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods`},
		{"create a mirror pod", Request{Kind: podKind, Verb: Create, Object: onNode("x", "n1", mirror, owned)}, ""},
		{"create one elsewhere", Request{Kind: podKind, Verb: Create, Object: onNode("x", "n2", mirror, owned)},
			`pods "x" is forbidden: node "n1" can only create pods with spec.nodeName set to itself`},
		{"create one without an owner", Request{Kind: podKind, Verb: Create, Object: onNode("x", "n1", mirror)},
			`pods "x" is forbidden: node "n1" can only create pods with an owner reference set to itself`},
		{"create one of another node by the name", Request{Kind: podKind, Verb: Create, Object: onNode("x", "n1", mirror, owned, func(p *corev1.Pod) { p.OwnerReferences[0].UID = "old" })},
			`pods "x" is forbidden: node n1 UID mismatch: expected old got n1-uid`},
		{"create one that reads a secret", Request{Kind: podKind, Verb: Create, Object: onNode("x", "n1", mirror, owned, func(p *corev1.Pod) {
			p.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "s"}}
		})}, `pods "x" is forbidden: node "n1" can not create pods that reference secrets`},
		{"update a pod", Request{Kind: podKind, Verb: Update, Name: "mine", Object: onNode("mine", "n1"), Old: onNode("mine", "n1")},
			`pods "mine" is forbidden: unexpected operation "UPDATE", node "n1" can only create and delete mirror pods`},
		{"delete a pod", Request{Kind: podKind, Verb: Delete, Name: "mine"}, ""},
		{"delete another's pod", Request{Kind: podKind, Verb: Delete, Name: "theirs"},
			`pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself`},
		{"delete a missing pod", Request{Kind: podKind, Verb: Delete, Name: "gone"}, `pods "gone" not found`},
		{"a status", Request{Kind: podKind, Verb: Update, Subresource: "status", Name: "mine", Object: onNode("mine", "n1"), Old: onNode("mine", "n1")}, ""},
		{"another's status", Request{Kind: podKind, Verb: Update, Subresource: "status", Name: "theirs", Object: onNode("theirs", "n1"), Old: onNode("theirs", "n2")},
			`pods "theirs" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself`},
		{"a label by way of the status", Request{Kind: podKind, Verb: Update, Subresource: "status", Name: "mine", Old: onNode("mine", "n1"),
			Object: onNode("mine", "n1", func(p *corev1.Pod) { p.Labels = map[string]string{"app": "web"} })},
			`pods "mine" is forbidden: node "n1" cannot update labels through pod status`},
		{"evict another's pod", Request{Kind: podKind, Verb: Create, Subresource: "eviction", Name: "theirs", Object: &policyv1.Eviction{}},
			`pods "theirs" is forbidden: node n1 can only evict pods with spec.nodeName set to itself`},
		{"evict a pod", Request{Kind: podKind, Verb: Create, Subresource: "eviction", Name: "mine", Object: &policyv1.Eviction{}}, ""},
		{"bind a pod", Request{Kind: podKind, Verb: Create, Subresource: "binding", Name: "mine"},
			`pods "mine" is forbidden: unexpected pod subresource "binding", only 'status' and 'eviction' are allowed`},

		{"register", Request{Kind: nodeKind, Verb: Create, Object: node("n1", label("kubernetes.io/hostname"))}, ""},
		{"register as another", Request{Kind: nodeKind, Verb: Create, Object: node("n2")}, `nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"`},
		{"register with a reserved label", Request{Kind: nodeKind, Verb: Create, Object: node("n1", label("node-restriction.kubernetes.io/zone"))},
			`nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: node-restriction.kubernetes.io/zone`},
		{"register with a role", Request{Kind: nodeKind, Verb: Create, Object: node("n1", label("node-role.kubernetes.io/control-plane"))},
			`nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: node-role.kubernetes.io/control-plane`},
		{"take a role", Request{Kind: nodeKind, Verb: Update, Name: "n1", Object: node("n1", label("node-role.kubernetes.io/x")), Old: node("n1")},
			`nodes "n1" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/x`},
		{"a label of one's own", Request{Kind: nodeKind, Verb: Update, Name: "n1", Object: node("n1", label("disk")), Old: node("n1")}, ""},
		{"lose a taint", Request{Kind: nodeKind, Verb: Update, Name: "n1", Object: node("n1"),
			Old: node("n1", func(n *corev1.Node) { n.Spec.Taints = []corev1.Taint{{Key: "a"}} })},
			`nodes "n1" is forbidden: node "n1" is not allowed to modify taints`},
		{"the status", Request{Kind: nodeKind, Verb: Update, Subresource: "status", Name: "n1", Object: node("n1"), Old: node("n1")}, ""},

		{"a token", Request{Kind: accountKind, Verb: Create, Subresource: "token", Name: "default", Object: tokenFor("mine", "mine-uid")}, ""},
		{"a token of no pod", Request{Kind: accountKind, Verb: Create, Subresource: "token", Name: "default", Object: &authenticationv1.TokenRequest{}},
			`serviceaccounts "default" is forbidden: node requested token not bound to a pod`},
		{"a token without a uid", Request{Kind: accountKind, Verb: Create, Subresource: "token", Name: "default", Object: tokenFor("mine", "")},
			`serviceaccounts "default" is forbidden: node requested token with a pod binding without a uid`},
		{"a token of a pod that was", Request{Kind: accountKind, Verb: Create, Subresource: "token", Name: "default", Object: tokenFor("mine", "old")},
			`serviceaccounts "default" is forbidden: the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated`},
		{"a token of another's pod", Request{Kind: accountKind, Verb: Create, Subresource: "token", Name: "default", Object: tokenFor("theirs", "theirs-uid")},
			`serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node`},
		{"a token for an audience that the pod does not mount", Request{Kind: accountKind, Verb: Create, Subresource: "token", Name: "default", Object: tokenFor("mine", "mine-uid", "vault")},
			`serviceaccounts "default" is forbidden: system:node:n1 is not authorized to request tokens for audience "vault"`},

		{"its lease", Request{Kind: leaseKind, Verb: Create, Namespace: "kube-node-lease", Object: lease("n1")}, ""},
		{"another's lease", Request{Kind: leaseKind, Verb: Create, Namespace: "kube-node-lease", Object: lease("n2")},
			`leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node`},
		{"a lease elsewhere", Request{Kind: leaseKind, Verb: Update, Namespace: "kube-system", Name: "n1", Object: lease("n1")},
			`leases.coordination.k8s.io "n1" is forbidden: can only access leases in the "kube-node-lease" system namespace`},
		{"a config map", Request{Kind: configMapKind, Verb: Create, Object: &corev1.ConfigMap{}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.r.Namespace == "" {
				c.r.Namespace = "shop"
			}
			n1, admin := auth.Node("n1"), auth.Admin()
			c.r.User = &n1
			wantRefusal(t, plugin.Admit(t.Context(), &c.r), c.want)
			c.r.User = &admin
			wantRefusal(t, plugin.Admit(t.Context(), &c.r), "")
		})
	}
}
