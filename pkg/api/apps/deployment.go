package apps

import (
	"github.com/kubeskiff/skiff/pkg/api"

	appsv1 "k8s.io/api/apps/v1"
)

// Deployment is the kind apps/v1 Deployment.
var Deployment = api.Define(api.Spec[*appsv1.Deployment]{
	GroupVersion: appsv1.SchemeGroupVersion, Kind: "Deployment", Resource: "deployments",
	ShortNames: []string{"deploy"}, Categories: []string{"all"}, Namespaced: true,
	List:  &appsv1.DeploymentList{},
	Scale: &api.Scale{Spec: "spec.replicas", Status: "status.replicas"},
	Subresources: api.Subresources{
		"scale":  scaleView(deploymentScale, setDeploymentScale),
		"status": api.Part[*appsv1.Deployment](nil, nil),
	},
})
