package apps

import (
	"github.com/kubeskiff/skiff/pkg/api"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var scaleKind = autoscalingv1.SchemeGroupVersion.WithKind("Scale")

// scaleView is the subresource scale of a workload, whose body is an autoscaling/v1 Scale.
func scaleView[T api.Object](get func(T) (api.Object, error), set func(T, *autoscalingv1.Scale) error) *api.Subresource {
	return api.View(scaleKind, []string{"get", "patch", "update"}, get, set)
}

// newScale renders the view; the counts are those of the parent.
func newScale(parent metav1.Object, want *int32, have int32, selector *metav1.LabelSelector) (*autoscalingv1.Scale, error) {
	sel, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil, err
	}
	scale := &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{
			Name: parent.GetName(), Namespace: parent.GetNamespace(), UID: parent.GetUID(),
			ResourceVersion: parent.GetResourceVersion(), CreationTimestamp: parent.GetCreationTimestamp(),
		},
		Status: autoscalingv1.ScaleStatus{Replicas: have, Selector: sel.String()},
	}
	scale.SetGroupVersionKind(scaleKind)
	if want != nil {
		scale.Spec.Replicas = *want
	}
	return scale, nil
}

// applyScale judges a written Scale and gives the count it asks for. Stale resource versions are the server's matter.
func applyScale(scale *autoscalingv1.Scale) (*int32, error) {
	if scale.Spec.Replicas < 0 {
		return nil, apierrors.NewInvalid(scaleKind.GroupKind(), scale.Name, field.ErrorList{
			field.Invalid(field.NewPath("spec", "replicas"), scale.Spec.Replicas, "must be greater than or equal to 0").WithOrigin("minimum"),
		})
	}
	want := scale.Spec.Replicas
	return &want, nil
}

func deploymentScale(d *appsv1.Deployment) (api.Object, error) {
	return newScale(d, d.Spec.Replicas, d.Status.Replicas, d.Spec.Selector)
}

func setDeploymentScale(d *appsv1.Deployment, scale *autoscalingv1.Scale) error {
	want, err := applyScale(scale)
	if err == nil {
		d.Spec.Replicas = want
	}
	return err
}

func replicaSetScale(r *appsv1.ReplicaSet) (api.Object, error) {
	return newScale(r, r.Spec.Replicas, r.Status.Replicas, r.Spec.Selector)
}

func setReplicaSetScale(r *appsv1.ReplicaSet, scale *autoscalingv1.Scale) error {
	want, err := applyScale(scale)
	if err == nil {
		r.Spec.Replicas = want
	}
	return err
}
