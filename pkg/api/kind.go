// Package api says what a kind is. All that skiff knows of a Deployment is one *Kind, written in one place with
// Define and read by client and server alike; a custom resource becomes the same value at run time. The package knows
// no kind itself (api/all lists them), opens no connection and holds no state.
package api

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"

	corev1 "k8s.io/api/core/v1"
)

// Object is what every stored thing is: a typed value with metadata.
type Object interface {
	metav1.Object
	runtime.Object
}

// Kind is one kind of the API with its type erased: the rooms read it, authors write a Spec. A nil facet means "does
// not apply". Facets never keep or share the objects they are given; those that fill in write to obj in place.
type Kind struct {
	GroupVersion schema.GroupVersion
	Kind         string // "Deployment"
	ListKind     string // "DeploymentList"
	Resource     string // "deployments"
	Singular     string // "deployment"
	ShortNames   []string
	Categories   []string
	Namespaced   bool
	// Verbs as discovery names them, in alphabetical order; nil means all eight.
	Verbs []string

	New     func() Object
	NewList func() runtime.Object

	// Default fills in what the user left out; runs on writes before admission, and on reads of objects an older version stored.
	Default func(obj Object)
	// Prepare runs on writes before validation: it resets what a client may not set (status on the main resource) and
	// moves metadata.generation. old is nil on create.
	Prepare func(obj, old Object)
	// Validate judges a write; old is nil on create.
	Validate func(obj, old Object) field.ErrorList
	// Warn gives the texts of Warning headers; old is nil on create.
	Warn func(obj, old Object) []string
	// Allocate takes addresses and ports that must be unique; runs inside the store's transaction. obj is nil on
	// delete (release what old holds), old is nil on create.
	Allocate func(obj, old Object, a Allocator) field.ErrorList
	// CreateOnUpdate says that PUT (and apply) of a missing name creates it. Apply always does.
	CreateOnUpdate bool
	// Hold says whether something beside metadata.finalizers keeps a deleted object, such as a namespace's spec.finalizers, and then
	// shows in obj that it is on its way out.
	Hold func(obj Object) bool
	// GracefulDelete gives the grace period in seconds that a delete must wait for, 0 to remove at once. It may alter obj
	// (the copy that will be stored with a deletionTimestamp). nil means every delete is at once.
	GracefulDelete func(obj Object, opts *metav1.DeleteOptions) int64
	// Fields gives the values a field selector may select on, beside metadata.name and metadata.namespace.
	Fields map[string]func(obj Object) string
	// Subresources by name: status, scale, binding, log …
	Subresources Subresources
	// Deprecated is the text of the Warning header of every request, such as "v1 Endpoints is deprecated …".
	Deprecated string

	// Columns is the kind as a table.
	Columns *Columns
	// Describe writes what `describe` prints between nothing and the end.
	Describe func(ctx context.Context, w *DescribeWriter, c Reader, obj Object) error
	// Rollout is what the rollout commands need.
	Rollout *Rollout
	// Scale names the paths of the replica counts.
	Scale *Scale
	// PodTemplate gives the pod template inside obj, to read or to change in place.
	PodTemplate func(obj Object) *corev1.PodTemplateSpec
	// PodSpec gives the pod spec of a kind that has one of its own instead of a template.
	PodSpec func(obj Object) *corev1.PodSpec
	// PodSelector selects the pods that belong to obj.
	PodSelector func(obj Object) (labels.Selector, error)
	// Expose says what a service in front of obj selects and listens on; the error is about the selector alone.
	Expose func(obj Object) (Exposure, error)
	// ForwardPort finds for port-forward which of the pod's ports a port of obj (a number or a name) leads to; number is the
	// port's own. nil means that obj's ports are those of its pods.
	ForwardPort func(obj Object, pod *corev1.Pod, port string) (number, target int32, err error)

	// CustomResource is set on kinds that come from a CustomResourceDefinition, whose objects are *unstructured.Unstructured.
	CustomResource bool
}

// GVK is the group, version and kind.
func (k *Kind) GVK() schema.GroupVersionKind { return k.GroupVersion.WithKind(k.Kind) }

// GVR is the group, version and resource.
func (k *Kind) GVR() schema.GroupVersionResource { return k.GroupVersion.WithResource(k.Resource) }

// GroupResource is the name that error texts use: "deployments.apps", "pods".
func (k *Kind) GroupResource() schema.GroupResource { return k.GVR().GroupResource() }

// Subresources maps the name of a subresource to what it does.
type Subresources map[string]*Subresource

// Subresource is one path below an object. Exactly one of three shapes: a part of the parent under rules of its own
// (Prepare, Validate: status, resize, ephemeralcontainers), a view of another kind (New, Get, Set: scale, binding,
// eviction, token), or a connection to the kubelet (Connect: log, exec, attach, portforward, proxy).
type Subresource struct {
	Verbs []string
	// Kind of the body; empty means the parent's.
	Kind schema.GroupVersionKind
	// New makes an empty body; nil means the parent's New.
	New func() Object

	// Prepare merges the request's obj with the stored old so that only this part changes.
	Prepare func(obj, old Object)
	// Validate judges the merged obj.
	Validate func(obj, old Object) field.ErrorList

	// Get renders the view of parent.
	Get func(parent Object) (Object, error)
	// Set writes body into parent; an error becomes the answer (use apimachinery's api/errors).
	Set func(parent, body Object) error

	// Connect says that the request goes to the kubelet of the pod's node.
	Connect bool
}

// Allocator hands out what is unique in the cluster. An empty want means "any"; a taken or unfit one is an error
// whose text stands in a field error.
type Allocator interface {
	ClusterIP(want string) (string, error)
	ReleaseClusterIP(ip string)
	NodePort(want int32, protocol corev1.Protocol) (int32, error)
	ReleaseNodePort(port int32, protocol corev1.Protocol)
}

// Columns is a kind as a table: Cells gives one value for each definition (string, int64, or a metav1.Time-derived age
// string). Priority 0 columns are always shown, 1 only with -o wide.
type Columns struct {
	Definitions []metav1.TableColumnDefinition
	Cells       func(obj Object) []any
	// Conditions, if set, gives the row conditions (a finished pod is Completed).
	Conditions func(obj Object) []metav1.TableRowCondition
}

// Scale names where the counts live: "spec.replicas", "status.replicas". The label selector of the view is the kind's PodSelector.
type Scale struct {
	Spec, Status string
}

// Exposure is what a service in front of an object is made of.
type Exposure struct {
	Selector map[string]string
	// Ports in the object's order; a number stands once for each of its protocols.
	Ports []ExposedPort
}

// ExposedPort is one port that an object listens on.
type ExposedPort struct {
	Number   int32
	Protocol corev1.Protocol
}

// Rollout is what `rollout status|history|undo|pause|resume|restart` need of a kind. Texts are kubectl's.
type Rollout struct {
	// Status gives a line ending in "\n" and whether the rollout is complete; revision 0 means the latest.
	Status func(obj Object, revision int64) (message string, done bool, err error)
	// History lists the revisions, oldest first.
	History func(ctx context.Context, c Reader, obj Object) ([]Revision, error)
	// Target finds the revision to roll back to; 0 means the one before the latest.
	Target func(ctx context.Context, c Reader, obj Object, to int64) (Revision, error)
	// Undo gives the patch that brings obj back to the target; skip, if not empty, says why there is nothing to do.
	Undo func(obj Object, target Revision, to int64) (patch Patch, skip string, err error)
	// Paused points at the field that pause and resume set; nil where the kind cannot be paused.
	Paused func(obj Object) *bool
}

// Revision is one entry of a rollout's history.
type Revision struct {
	Number      int64
	ChangeCause string
	Template    *corev1.PodTemplateSpec
	Object      Object // the ReplicaSet or ControllerRevision
}

// Patch is a patch with its content type (types.JSONPatchType …).
type Patch struct {
	Type types.PatchType
	Data []byte
}

// Reader reads typed objects for facets that need more than the object at hand. The client implements it over REST,
// tests over a slice. List fills a typed list (&corev1.EventList{}).
type Reader interface {
	Get(ctx context.Context, namespace, name string, into Object) error
	List(ctx context.Context, namespace string, opts metav1.ListOptions, into runtime.Object) error
}
