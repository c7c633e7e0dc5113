package admission

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// The kinds as plugins see them: by group and resource.
var (
	podKind        = &api.Kind{GroupVersion: corev1.SchemeGroupVersion, Resource: "pods"}
	nodeKind       = &api.Kind{GroupVersion: corev1.SchemeGroupVersion, Resource: "nodes"}
	namespaceKind  = &api.Kind{GroupVersion: corev1.SchemeGroupVersion, Resource: "namespaces"}
	accountKind    = &api.Kind{GroupVersion: corev1.SchemeGroupVersion, Resource: "serviceaccounts"}
	configMapKind  = &api.Kind{GroupVersion: corev1.SchemeGroupVersion, Resource: "configmaps"}
	deploymentKind = &api.Kind{GroupVersion: appsv1.SchemeGroupVersion, Resource: "deployments"}
	leaseKind      = &api.Kind{GroupVersion: coordinationv1.SchemeGroupVersion, Resource: "leases"}
	reviewKind     = &api.Kind{GroupVersion: schema.GroupVersion{Group: "authorization.k8s.io", Version: "v1"}, Resource: "localsubjectaccessreviews"}

	_ api.Object = (*authenticationv1.TokenRequest)(nil)
)

// stored is a Reader over "resource/namespace/name".
type stored map[string]api.Object

func (s stored) Get(_ context.Context, resource schema.GroupResource, namespace, name string) (api.Object, error) {
	if o, ok := s[resource.String()+"/"+namespace+"/"+name]; ok {
		return o, nil
	}
	return nil, apierrors.NewNotFound(resource, name)
}

func (s stored) List(_ context.Context, resource schema.GroupResource, namespace, _, _ string) ([]api.Object, error) {
	var out []api.Object
	for key, o := range s {
		if strings.HasPrefix(key, resource.String()+"/"+namespace) {
			out = append(out, o)
		}
	}
	return out, nil
}

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name + "-uid")}
}

// wantRefusal compares an error's text; an empty one means that the request must pass.
func wantRefusal(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("it passed, want %q", want)
	case err != nil && err.Error() != want:
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestDefaultOrder(t *testing.T) {
	var got []string
	for _, p := range Default(stored{}) {
		got = append(got, p.Name())
		_, mutates := p.(Mutator)
		_, validates := p.(Validator)
		if !mutates && !validates {
			t.Errorf("%s does nothing", p.Name())
		}
	}
	want := "NamespaceLifecycle ServiceAccount NodeRestriction TaintNodesByCondition Priority DefaultTolerationSeconds"
	if strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPodThroughAll is a plain pod on its way through the whole list.
func TestPodThroughAll(t *testing.T) {
	objects := stored{
		"namespaces//default":             &corev1.Namespace{ObjectMeta: meta("", "default")},
		"serviceaccounts/default/default": &corev1.ServiceAccount{ObjectMeta: meta("default", "default")},
	}
	pod := &corev1.Pod{ObjectMeta: meta("default", "web"), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web"}}}}
	admin := auth.Admin()
	r := &Request{Kind: podKind, Verb: Create, Namespace: "default", Name: "web", Object: pod, User: &admin}
	plugins := Default(objects)
	if err := Admit(t.Context(), plugins, r); err != nil {
		t.Fatal(err)
	}
	if err := Validate(t.Context(), plugins, r); err != nil {
		t.Fatal(err)
	}
	if len(pod.Spec.Volumes) != 1 || len(pod.Spec.Tolerations) != 2 || *pod.Spec.Priority != 0 || pod.Spec.ServiceAccountName != "default" {
		t.Errorf("got %+v", pod.Spec)
	}
	r.Namespace = "missing"
	wantRefusal(t, Admit(t.Context(), plugins, r), `namespaces "missing" not found`)
	r.Namespace, pod.Spec.ServiceAccountName = "default", "changed-by-a-later-plugin"
	wantRefusal(t, Validate(t.Context(), plugins, r),
		`pods "web" is forbidden: error looking up service account default/changed-by-a-later-plugin: serviceaccount "changed-by-a-later-plugin" not found`)
}
