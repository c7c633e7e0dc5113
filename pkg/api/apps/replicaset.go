package apps

import (
	"github.com/kubeskiff/skiff/pkg/api"

	appsv1 "k8s.io/api/apps/v1"
)

// ReplicaSet is the kind apps/v1 ReplicaSet.
var ReplicaSet = api.Define(api.Spec[*appsv1.ReplicaSet]{
	GroupVersion: appsv1.SchemeGroupVersion, Kind: "ReplicaSet", Resource: "replicasets",
	ShortNames: []string{"rs"}, Categories: []string{"all"}, Namespaced: true,
	List:  &appsv1.ReplicaSetList{},
	Scale: &api.Scale{Spec: "spec.replicas", Status: "status.replicas"},
	Subresources: api.Subresources{
		"scale":  scaleView(replicaSetScale, setReplicaSetScale),
		"status": api.Part[*appsv1.ReplicaSet](nil, nil),
	},
})
