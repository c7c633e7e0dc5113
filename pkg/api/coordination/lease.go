package coordination

import (
	"github.com/kubeskiff/skiff/pkg/api"

	coordinationv1 "k8s.io/api/coordination/v1"
)

// Lease is the kind coordination.k8s.io/v1 Lease.
var Lease = api.Define(api.Spec[*coordinationv1.Lease]{
	GroupVersion: coordinationv1.SchemeGroupVersion, Kind: "Lease", Resource: "leases",
	Namespaced:     true,
	List:           &coordinationv1.LeaseList{},
	CreateOnUpdate: true,
})
