package admission

import (
	"context"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

const (
	defaultServiceAccount = "default"
	tokenVolumePrefix     = "kube-api-access-"
	tokenMountPath        = "/var/run/secrets/kubernetes.io/serviceaccount"
	// tokenSeconds is an hour and a bit, by which upstream recognises tokens that it injected.
	tokenSeconds = 3607

	mirrorAnnotation = corev1.MirrorPodAnnotationKey
)

// defaultAccountTries is how often the default account is looked for: its controller makes it right after the namespace.
const defaultAccountTries = 10

// ServiceAccount gives each pod an identity: it fills in the default one, refuses a missing one, and mounts the token.
type ServiceAccount struct {
	reader Reader
	suffix func() string
	pause  time.Duration
}

// NewServiceAccount makes the plugin.
func NewServiceAccount(reader Reader) *ServiceAccount {
	return &ServiceAccount{reader: reader, suffix: func() string { return rand.String(5) }, pause: 100 * time.Millisecond}
}

// Name is upstream's.
func (*ServiceAccount) Name() string { return "ServiceAccount" }

// Admit completes a new pod.
func (s *ServiceAccount) Admit(ctx context.Context, r *Request) error {
	pod, ok := r.Object.(*corev1.Pod)
	if !ok || !r.is("pods", "") || r.Verb != Create {
		return nil
	}
	if _, mirror := pod.Annotations[mirrorAnnotation]; mirror {
		return s.Validate(ctx, r)
	}
	if pod.Spec.ServiceAccountName == "" {
		pod.Spec.ServiceAccountName = defaultServiceAccount
		pod.Spec.DeprecatedServiceAccount = defaultServiceAccount
	}
	account, err := s.account(ctx, r, pod)
	if err != nil {
		return err
	}
	if automount(account, pod) {
		s.mountToken(pod)
	}
	if len(pod.Spec.ImagePullSecrets) == 0 && len(account.ImagePullSecrets) > 0 {
		pod.Spec.ImagePullSecrets = append([]corev1.LocalObjectReference(nil), account.ImagePullSecrets...)
	}
	return nil
}

// Validate holds whatever other plugins made of the pod to the same rules.
func (s *ServiceAccount) Validate(ctx context.Context, r *Request) error {
	pod, ok := r.Object.(*corev1.Pod)
	if !ok || !r.is("pods", "") || r.Verb != Create {
		return nil
	}
	if _, mirror := pod.Annotations[mirrorAnnotation]; mirror {
		return validateMirror(r, pod)
	}
	if pod.Spec.ServiceAccountName == "" {
		return r.forbidden("no service account specified for pod %s/%s", r.Namespace, pod.Name)
	}
	_, err := s.account(ctx, r, pod)
	return err
}

func (s *ServiceAccount) account(ctx context.Context, r *Request, pod *corev1.Pod) (*corev1.ServiceAccount, error) {
	name, tries := pod.Spec.ServiceAccountName, 1
	if name == defaultServiceAccount {
		tries = defaultAccountTries
	}
	for {
		obj, err := s.reader.Get(ctx, schema.GroupResource{Resource: "serviceaccounts"}, r.Namespace, name)
		if account, ok := obj.(*corev1.ServiceAccount); ok && err == nil {
			return account, nil
		}
		if tries--; apierrors.IsNotFound(err) && tries > 0 {
			select {
			case <-time.After(s.pause):
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if apierrors.IsNotFound(err) {
			err = apierrors.NewNotFound(schema.GroupResource{Resource: "serviceaccount"}, name)
		}
		return nil, r.forbidden("error looking up service account %s/%s: %w", r.Namespace, name, err)
	}
}

// automount: the pod's wish wins over its account's; the default is yes.
func automount(account *corev1.ServiceAccount, pod *corev1.Pod) bool {
	if want := pod.Spec.AutomountServiceAccountToken; want != nil {
		return *want
	}
	return account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken
}

// mountToken mounts the token in each container that has nothing at its path, and adds the volume if one needs it.
func (s *ServiceAccount) mountToken(pod *corev1.Pod) {
	name, present := "", false
	for _, v := range pod.Spec.Volumes {
		if strings.HasPrefix(v.Name, tokenVolumePrefix) {
			name, present = v.Name, true
			break
		}
	}
	if !present {
		name = tokenVolumePrefix + s.suffix()
	}
	mount := corev1.VolumeMount{Name: name, ReadOnly: true, MountPath: tokenMountPath}
	inits, mains := addMount(pod.Spec.InitContainers, mount), addMount(pod.Spec.Containers, mount)
	if !present && (inits || mains) {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Projected: tokenSource()}})
	}
}

func addMount(containers []corev1.Container, mount corev1.VolumeMount) bool {
	added := false
next:
	for i := range containers {
		for _, m := range containers[i].VolumeMounts {
			if m.MountPath == tokenMountPath {
				continue next
			}
		}
		containers[i].VolumeMounts = append(containers[i].VolumeMounts, mount)
		added = true
	}
	return added
}

func tokenSource() *corev1.ProjectedVolumeSource {
	return &corev1.ProjectedVolumeSource{
		DefaultMode: new(corev1.ProjectedVolumeSourceDefaultMode),
		Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: new(int64(tokenSeconds))}},
			{ConfigMap: &corev1.ConfigMapProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"},
				Items:                []corev1.KeyToPath{{Key: "ca.crt", Path: "ca.crt"}},
			}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{
				Path: "namespace", FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"},
			}}}},
		},
	}
}

// validateMirror: a mirror pod stands for one that a node runs by itself, and may reach for nothing of the API.
func validateMirror(r *Request, pod *corev1.Pod) error {
	if pod.Spec.ServiceAccountName != "" {
		return r.forbidden("a mirror pod may not reference service accounts")
	}
	if len(auth.ReferencesOf(pod).Secrets) > 0 {
		return r.forbidden("a mirror pod may not reference secrets")
	}
	for _, v := range pod.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ServiceAccountToken != nil {
				return r.forbidden("a mirror pod may not use ServiceAccountToken volume projections")
			}
		}
	}
	return nil
}
