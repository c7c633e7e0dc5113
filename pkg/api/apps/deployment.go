package apps

import (
	"fmt"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// Deployment is the kind apps/v1 Deployment.
var Deployment = api.Define(api.Spec[*appsv1.Deployment]{
	GroupVersion: appsv1.SchemeGroupVersion, Kind: "Deployment", Resource: "deployments",
	ShortNames: []string{"deploy"}, Categories: []string{"all"}, Namespaced: true,
	List:     &appsv1.DeploymentList{},
	Default:  defaultDeployment,
	Prepare:  prepareDeployment,
	Validate: validateDeployment,
	Warn: func(d, old *appsv1.Deployment) []string {
		return warnWorkload(&d.ObjectMeta, &d.Spec.Template, old == nil, old == nil || d.Generation != old.Generation)
	},
	Subresources: api.Subresources{
		"scale":  scaleView(deploymentScale, setDeploymentScale),
		"status": api.Part(prepareDeploymentStatus, validateDeploymentStatus),
	},
	Describe:    describeDeployment,
	Rollout:     deploymentRollout,
	Columns:     deploymentColumns,
	Scale:       &api.Scale{Spec: "spec.replicas", Status: "status.replicas"},
	PodTemplate: func(d *appsv1.Deployment) *corev1.PodTemplateSpec { return &d.Spec.Template },
	PodSelector: func(d *appsv1.Deployment) (labels.Selector, error) {
		return metav1.LabelSelectorAsSelector(d.Spec.Selector)
	},
	Expose: func(d *appsv1.Deployment) (api.Exposure, error) {
		return exposeWorkload("deployment", d.Spec.Selector, &d.Spec.Template)
	},
})

func defaultDeployment(d *appsv1.Deployment) {
	s := &d.Spec
	orNew(&s.Replicas, 1)
	if s.Strategy.Type == "" {
		s.Strategy.Type = appsv1.RollingUpdateDeploymentStrategyType
	}
	if s.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType {
		orNew(&s.Strategy.RollingUpdate, appsv1.RollingUpdateDeployment{})
		orNew(&s.Strategy.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
		orNew(&s.Strategy.RollingUpdate.MaxSurge, intstr.FromString("25%"))
	}
	orNew(&s.RevisionHistoryLimit, 10)
	orNew(&s.ProgressDeadlineSeconds, 600)
	core.DefaultPodTemplate(&s.Template)
}

// prepareDeployment also moves the generation when annotations change, for they are copied to ReplicaSets.
func prepareDeployment(d, old *appsv1.Deployment) {
	core.PreparePodTemplate(&d.Spec.Template)
	if old == nil {
		d.Status, d.Generation = appsv1.DeploymentStatus{}, 1
		return
	}
	d.Status, d.Generation = old.Status, old.Generation
	if !apiequality.Semantic.DeepEqual(d.Spec, old.Spec) || !apiequality.Semantic.DeepEqual(d.Annotations, old.Annotations) {
		d.Generation++
	}
}

func prepareDeploymentStatus(d, old *appsv1.Deployment) {
	d.Spec, d.Labels, d.Generation = old.Spec, old.Labels, old.Generation
}

var deploymentColumns = &api.Table[*appsv1.Deployment]{
	Definitions: []metav1.TableColumnDefinition{
		api.NameColumn(),
		api.Column("Ready", "string", "Number of the pod with ready state"),
		api.Column("Up-to-date", "string", appsv1.DeploymentStatus{}.SwaggerDoc()["updatedReplicas"]),
		api.Column("Available", "string", appsv1.DeploymentStatus{}.SwaggerDoc()["availableReplicas"]),
		api.AgeColumn(),
		api.WideColumn("Containers", "Names of each container in the template."),
		api.WideColumn("Images", "Images referenced by each container in the template."),
		api.WideColumn("Selector", appsv1.DeploymentSpec{}.SwaggerDoc()["selector"]),
	},
	Cells: func(d *appsv1.Deployment) []any {
		selector := "<invalid>"
		if s, err := metav1.LabelSelectorAsSelector(d.Spec.Selector); err == nil {
			selector = s.String()
		}
		names, images := containerCells(d.Spec.Template.Spec.Containers)
		return []any{
			d.Name, fmt.Sprintf("%d/%d", d.Status.ReadyReplicas, ptr.Deref(d.Spec.Replicas, 0)),
			int64(d.Status.UpdatedReplicas), int64(d.Status.AvailableReplicas), api.Age(d.CreationTimestamp.Time),
			names, images, selector,
		}
	},
}
