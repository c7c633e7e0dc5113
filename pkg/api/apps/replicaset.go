package apps

import (
	"strconv"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/api/core"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
)

// ReplicaSet is the kind apps/v1 ReplicaSet.
var ReplicaSet = api.Define(api.Spec[*appsv1.ReplicaSet]{
	GroupVersion: appsv1.SchemeGroupVersion, Kind: "ReplicaSet", Resource: "replicasets",
	ShortNames: []string{"rs"}, Categories: []string{"all"}, Namespaced: true,
	List: &appsv1.ReplicaSetList{},
	Default: func(r *appsv1.ReplicaSet) {
		orNew(&r.Spec.Replicas, 1)
		core.DefaultPodTemplate(&r.Spec.Template)
	},
	Prepare: func(r, old *appsv1.ReplicaSet) {
		core.PreparePodTemplate(&r.Spec.Template)
		if old == nil {
			r.Status, r.Generation = appsv1.ReplicaSetStatus{}, 1
			return
		}
		r.Status, r.Generation = old.Status, old.Generation
		if !apiequality.Semantic.DeepEqual(r.Spec, old.Spec) {
			r.Generation++
		}
	},
	Validate: validateReplicaSet,
	Warn: func(r, old *appsv1.ReplicaSet) []string {
		return warnWorkload(&r.ObjectMeta, &r.Spec.Template, old == nil, old == nil || r.Generation != old.Generation)
	},
	Fields: map[string]func(*appsv1.ReplicaSet) string{
		"status.replicas": func(r *appsv1.ReplicaSet) string { return strconv.Itoa(int(r.Status.Replicas)) },
	},
	Subresources: api.Subresources{
		"scale": scaleView(replicaSetScale, setReplicaSetScale),
		"status": api.Part(func(r, old *appsv1.ReplicaSet) {
			r.Spec, r.Generation = old.Spec, old.Generation
		}, validateReplicaSetStatus),
	},
	Describe:    describeReplicaSet,
	Columns:     replicaSetColumns,
	Scale:       &api.Scale{Spec: "spec.replicas", Status: "status.replicas"},
	PodTemplate: func(r *appsv1.ReplicaSet) *corev1.PodTemplateSpec { return &r.Spec.Template },
	PodSelector: func(r *appsv1.ReplicaSet) (labels.Selector, error) {
		return metav1.LabelSelectorAsSelector(r.Spec.Selector)
	},
	Expose: func(r *appsv1.ReplicaSet) (api.Exposure, error) {
		return exposeWorkload("replicaset", r.Spec.Selector, &r.Spec.Template)
	},
})

var replicaSetColumns = &api.Table[*appsv1.ReplicaSet]{
	Definitions: []metav1.TableColumnDefinition{
		api.NameColumn(),
		api.Column("Desired", "integer", appsv1.ReplicaSetSpec{}.SwaggerDoc()["replicas"]),
		api.Column("Current", "integer", appsv1.ReplicaSetStatus{}.SwaggerDoc()["replicas"]),
		api.Column("Ready", "integer", appsv1.ReplicaSetStatus{}.SwaggerDoc()["readyReplicas"]),
		api.AgeColumn(),
		api.WideColumn("Containers", "Names of each container in the template."),
		api.WideColumn("Images", "Images referenced by each container in the template."),
		api.WideColumn("Selector", appsv1.ReplicaSetSpec{}.SwaggerDoc()["selector"]),
	},
	Cells: func(r *appsv1.ReplicaSet) []any {
		names, images := containerCells(r.Spec.Template.Spec.Containers)
		return []any{
			r.Name, int64(ptr.Deref(r.Spec.Replicas, 0)), int64(r.Status.Replicas), int64(r.Status.ReadyReplicas),
			api.Age(r.CreationTimestamp.Time), names, images, metav1.FormatLabelSelector(r.Spec.Selector),
		}
	},
}
