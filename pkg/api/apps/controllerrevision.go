package apps

import (
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ControllerRevision is the kind apps/v1 ControllerRevision.
var ControllerRevision = api.Define(api.Spec[*appsv1.ControllerRevision]{
	GroupVersion: appsv1.SchemeGroupVersion, Kind: "ControllerRevision", Resource: "controllerrevisions",
	Namespaced: true,
	List:       &appsv1.ControllerRevisionList{},
	Validate:   validateControllerRevision,
	Columns: &api.Table[*appsv1.ControllerRevision]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(),
			api.Column("Controller", "string", "Controller of the object"),
			api.Column("Revision", "string", appsv1.ControllerRevision{}.SwaggerDoc()["revision"]),
			api.AgeColumn(),
		},
		Cells: func(r *appsv1.ControllerRevision) []any {
			return []any{r.Name, controllerOf(r), r.Revision, api.Age(r.CreationTimestamp.Time)}
		},
	},
})

func controllerOf(o metav1.Object) string {
	ref := metav1.GetControllerOf(o)
	if ref == nil {
		return "<none>"
	}
	kind := schema.FromAPIVersionAndKind(ref.APIVersion, ref.Kind).GroupKind()
	return strings.ToLower(kind.String()) + "/" + ref.Name
}
