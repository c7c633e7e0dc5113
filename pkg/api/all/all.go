// Package all lists every kind, by hand and in order, and the scheme that encodes them. It holds no rules of its own.
package all

import (
	"sync"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/apps"
	"github.com/kubeskiff/skiff/pkg/api/coordination"
	"github.com/kubeskiff/skiff/pkg/api/core"
	"github.com/kubeskiff/skiff/pkg/api/discovery"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// Kinds gives every built-in kind, in the order of discovery: groups as the real server lists them, names in alphabetical order.
func Kinds() []*api.Kind {
	return []*api.Kind{
		core.ConfigMap,
		core.Endpoints,
		core.Event,
		core.Namespace,
		core.Node,
		core.Pod,
		core.Secret,
		core.ServiceAccount,
		core.Service,
		apps.ControllerRevision,
		apps.Deployment,
		apps.ReplicaSet,
		coordination.Lease,
		discovery.EndpointSlice,
	}
}

// Scheme encodes and decodes every kind, the bodies of their subresources, and the meta types (lists' options, Status,
// Table, PartialObjectMetadata). It is built at first use, shared, and must not be changed.
func Scheme() *runtime.Scheme { return scheme() }

var scheme = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, coordinationv1.AddToScheme, discoveryv1.AddToScheme,
		authenticationv1.AddToScheme, autoscalingv1.AddToScheme, policyv1.AddToScheme, metav1.AddMetaToScheme,
	} {
		utilruntime.Must(add(s))
	}
	metav1.AddToGroupVersion(s, corev1.SchemeGroupVersion)
	return s
})
