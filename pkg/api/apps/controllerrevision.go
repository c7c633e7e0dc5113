package apps

import (
	"github.com/kubeskiff/skiff/pkg/api"

	appsv1 "k8s.io/api/apps/v1"
)

// ControllerRevision is the kind apps/v1 ControllerRevision.
var ControllerRevision = api.Define(api.Spec[*appsv1.ControllerRevision]{
	GroupVersion: appsv1.SchemeGroupVersion, Kind: "ControllerRevision", Resource: "controllerrevisions",
	Namespaced: true,
	List:       &appsv1.ControllerRevisionList{},
})
