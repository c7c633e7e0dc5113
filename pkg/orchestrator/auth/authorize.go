package auth

import (
	"context"
	"strings"
)

// Rights is the cluster's authorizer: fixed rights for its own parts, the node authorizer, and what everybody who is
// authenticated may do. Whatever no rule allows is denied.
type Rights struct{ reader Reader }

// NewRights makes the authorizer; reader tells it which pods a node runs.
func NewRights(reader Reader) *Rights { return &Rights{reader} }

// rule allows verbs on resources of one group; resources and verbs are lists with blanks between.
type rule struct{ group, resources, verbs string }

type rules []rule

func (rs rules) allow(a Attributes) bool {
	resource := a.Resource
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	for _, r := range rs {
		if r.group == a.Group && lists(r.resources, resource) && lists(r.verbs, a.Verb) {
			return true
		}
	}
	return false
}

func lists(words, word string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}

// selfRules are what all who are authenticated may ask: about themselves.
var selfRules = rules{
	{"authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"},
	{"authentication.k8s.io", "selfsubjectreviews", "create"},
}

// schedulerRules are upstream's for system:kube-scheduler, as far as the kinds exist.
var schedulerRules = rules{
	{"", "events", "create patch update"},
	{"events.k8s.io", "events", "create patch update"},
	{"coordination.k8s.io", "leases", "create get list update watch"},
	{"", "nodes namespaces services replicationcontrollers persistentvolumes persistentvolumeclaims", "get list watch"},
	{"", "pods", "delete get list watch"},
	{"", "bindings pods/binding", "create"},
	{"", "pods/status", "patch update"},
	{"apps", "replicasets statefulsets", "get list watch"},
	{"policy", "poddisruptionbudgets", "get list watch"},
	{"scheduling.k8s.io", "priorityclasses", "get list watch"},
	{"storage.k8s.io", "csinodes csidrivers csistoragecapacities storageclasses volumeattachments", "get list watch"},
}

// openPaths may be read by all who are authenticated: discovery, the API's description, and health.
var openPaths = []string{"/api", "/apis", "/openapi", "/healthz", "/livez", "/readyz", "/version", "/.well-known/openid-configuration"}

// Authorize decides. Where it denies, the API server words the refusal and appends the reason.
func (z *Rights) Authorize(ctx context.Context, a Attributes) (bool, string, error) {
	u := a.User
	switch {
	case u == nil || u.Name == "":
		return false, "", nil
	case u.In(GroupMasters) || u.Name == UserAPIServer:
		return true, "", nil
	case isController(u):
		return true, "", nil
	case !u.In(GroupAuthenticated):
		return false, "", nil
	case !a.ResourceRequest:
		return a.Verb == "get" && open(a.Path), "", nil
	case selfRules.allow(a):
		return true, "", nil
	case u.Name == UserScheduler:
		return schedulerRules.allow(a), "", nil
	}
	if node, ok := NodeOf(u); ok {
		return z.authorizeNode(ctx, node, a)
	}
	return false, "", nil
}

// isController holds for the controllers: the manager they run in, and the service accounts they act as, which end in
// "-controller" or are among the few that upstream named otherwise. Only the cluster's owner can make others in kube-system.
func isController(u *User) bool {
	if u.Name == UserControllerManager {
		return true
	}
	name, ok := strings.CutPrefix(u.Name, serviceAccountPrefix+"kube-system:")
	return ok && (strings.HasSuffix(name, "-controller") || oddlyNamed[name])
}

// oddlyNamed are the accounts of control loops whose names do not say so.
var oddlyNamed = map[string]bool{
	"generic-garbage-collector": true, "pod-garbage-collector": true, "root-ca-cert-publisher": true,
	"horizontal-pod-autoscaler": true, "persistent-volume-binder": true,
}

func open(path string) bool {
	for _, p := range openPaths {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return path == "/"
}
