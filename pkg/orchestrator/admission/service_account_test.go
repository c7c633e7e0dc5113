package admission

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kubeskiff/skiff/pkg/api"
)

func newTestServiceAccount(r Reader) *ServiceAccount {
	s := NewServiceAccount(r)
	s.suffix = func() string { return "abcde" }
	return s
}

func accounts() stored {
	silent := &corev1.ServiceAccount{ObjectMeta: meta("shop", "silent"), AutomountServiceAccountToken: new(false)}
	puller := &corev1.ServiceAccount{ObjectMeta: meta("shop", "puller"), ImagePullSecrets: []corev1.LocalObjectReference{{Name: "registry"}}}
	return stored{
		"serviceaccounts/shop/default": &corev1.ServiceAccount{ObjectMeta: meta("shop", "default")},
		"serviceaccounts/shop/silent":  silent,
		"serviceaccounts/shop/puller":  puller,
	}
}

func TestServiceAccount(t *testing.T) {
	at := func(path string) []corev1.VolumeMount { return []corev1.VolumeMount{{Name: "mine", MountPath: path}} }
	for _, c := range []struct {
		name      string
		spec      corev1.PodSpec
		mirror    bool
		want      string
		account   string
		mounts    []string // the volume at the token's path, of each container, init containers first
		volumes   int
		pullNames []corev1.LocalObjectReference
	}{
		{name: "a plain pod", spec: corev1.PodSpec{Containers: []corev1.Container{{}, {}}, InitContainers: []corev1.Container{{}}},
			account: "default", mounts: []string{"kube-api-access-abcde", "kube-api-access-abcde", "kube-api-access-abcde"}, volumes: 1},
		{name: "a mount of one's own", spec: corev1.PodSpec{Containers: []corev1.Container{{VolumeMounts: at(tokenMountPath)}}},
			account: "default", mounts: []string{"mine"}},
		{name: "a volume of one's own", spec: corev1.PodSpec{Containers: []corev1.Container{{}}, Volumes: []corev1.Volume{{Name: "kube-api-access-mine"}}},
			account: "default", mounts: []string{"kube-api-access-mine"}, volumes: 1},
		{name: "the pod wants none", spec: corev1.PodSpec{Containers: []corev1.Container{{}}, AutomountServiceAccountToken: new(false)},
			account: "default", mounts: []string{""}},
		{name: "the account wants none", spec: corev1.PodSpec{Containers: []corev1.Container{{}}, ServiceAccountName: "silent"},
			account: "silent", mounts: []string{""}},
		{name: "the pod wants it all the same", spec: corev1.PodSpec{Containers: []corev1.Container{{}}, ServiceAccountName: "silent", AutomountServiceAccountToken: new(true)},
			account: "silent", mounts: []string{"kube-api-access-abcde"}, volumes: 1},
		{name: "pull secrets", spec: corev1.PodSpec{Containers: []corev1.Container{{}}, ServiceAccountName: "puller"},
			account: "puller", mounts: []string{"kube-api-access-abcde"}, volumes: 1, pullNames: []corev1.LocalObjectReference{{Name: "registry"}}},
		{name: "pull secrets of one's own", spec: corev1.PodSpec{ServiceAccountName: "puller", ImagePullSecrets: []corev1.LocalObjectReference{{Name: "mine"}}},
			account: "puller", pullNames: []corev1.LocalObjectReference{{Name: "mine"}}},
		{name: "a missing account", spec: corev1.PodSpec{ServiceAccountName: "nope"}, account: "nope",
			want: `pods "web" is forbidden: error looking up service account shop/nope: serviceaccount "nope" not found`},
		{name: "a mirror pod", mirror: true, spec: corev1.PodSpec{Containers: []corev1.Container{{}}}, mounts: []string{""}},
		{name: "a mirror pod with an account", mirror: true, spec: corev1.PodSpec{ServiceAccountName: "default"}, account: "default",
			want: `pods "web" is forbidden: a mirror pod may not reference service accounts`},
		{name: "a mirror pod with a secret", mirror: true, spec: corev1.PodSpec{ImagePullSecrets: []corev1.LocalObjectReference{{Name: "x"}}},
			want: `pods "web" is forbidden: a mirror pod may not reference secrets`, pullNames: []corev1.LocalObjectReference{{Name: "x"}}},
		{name: "a mirror pod with a token", mirror: true, volumes: 1, spec: corev1.PodSpec{Volumes: []corev1.Volume{{VolumeSource: corev1.VolumeSource{Projected: tokenSource()}}}},
			want: `pods "web" is forbidden: a mirror pod may not use ServiceAccountToken volume projections`},
	} {
		t.Run(c.name, func(t *testing.T) {
			pod := &corev1.Pod{ObjectMeta: meta("shop", "web"), Spec: c.spec}
			if c.mirror {
				pod.Annotations = map[string]string{mirrorAnnotation: "x"}
			}
			err := newTestServiceAccount(accounts()).Admit(t.Context(), &Request{Kind: podKind, Verb: Create, Namespace: "shop", Name: "web", Object: pod})
			wantRefusal(t, err, c.want)
			if pod.Spec.ServiceAccountName != c.account {
				t.Errorf("got account %q, want %q", pod.Spec.ServiceAccountName, c.account)
			}
			var mounts []string
			for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
				mounts = append(mounts, "")
				for _, m := range container.VolumeMounts {
					if m.MountPath == tokenMountPath {
						mounts[len(mounts)-1] = m.Name
					}
				}
			}
			if !reflect.DeepEqual(mounts, c.mounts) || len(pod.Spec.Volumes) != c.volumes {
				t.Errorf("got mounts %q, %d volumes, want %q, %d", mounts, len(pod.Spec.Volumes), c.mounts, c.volumes)
			}
			if !reflect.DeepEqual(pod.Spec.ImagePullSecrets, c.pullNames) {
				t.Errorf("got pull secrets %v, want %v", pod.Spec.ImagePullSecrets, c.pullNames)
			}
		})
	}
}

func TestTokenVolume(t *testing.T) {
	s := tokenSource()
	if got := s.Sources[0].ServiceAccountToken; got.Path != "token" || *got.ExpirationSeconds != 3607 || got.Audience != "" {
		t.Errorf("the token is %+v", got)
	}
	if got := s.Sources[1].ConfigMap; got.Name != "kube-root-ca.crt" || got.Items[0] != (corev1.KeyToPath{Key: "ca.crt", Path: "ca.crt"}) {
		t.Errorf("the authority is %+v", got)
	}
	if got := s.Sources[2].DownwardAPI.Items[0]; got.Path != "namespace" || got.FieldRef.FieldPath != "metadata.namespace" {
		t.Errorf("the namespace is %+v", got)
	}
	if *s.DefaultMode != 0o644 {
		t.Errorf("the mode is %o", *s.DefaultMode)
	}
}

// late is a Reader to which the account comes after some looks.
type late struct {
	stored
	looks int
}

func (l *late) Get(ctx context.Context, resource schema.GroupResource, namespace, name string) (api.Object, error) {
	if l.looks--; l.looks >= 0 {
		return stored{}.Get(ctx, resource, namespace, name)
	}
	return l.stored.Get(ctx, resource, namespace, name)
}

// TestDefaultAccountIsAwaited: a pod may be created right behind its namespace.
func TestDefaultAccountIsAwaited(t *testing.T) {
	for looks, want := range map[int]string{
		5:  "",
		50: `pods "web" is forbidden: error looking up service account shop/default: serviceaccount "default" not found`,
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			r := &Request{Kind: podKind, Verb: Create, Namespace: "shop", Object: &corev1.Pod{ObjectMeta: meta("shop", "web")}}
			wantRefusal(t, newTestServiceAccount(&late{accounts(), looks}).Admit(t.Context(), r), want)
			if waited := time.Since(start); waited > time.Second {
				t.Errorf("waited %v", waited)
			}
		})
	}
}
