package coordination

import (
	"github.com/kubeskiff/skiff/pkg/api"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// Lease is the kind coordination.k8s.io/v1 Lease.
var Lease = api.Define(api.Spec[*coordinationv1.Lease]{
	GroupVersion: coordinationv1.SchemeGroupVersion, Kind: "Lease", Resource: "leases",
	Namespaced:     true,
	List:           &coordinationv1.LeaseList{},
	CreateOnUpdate: true,
	// Strategies belong to coordinated leader election, which is an alpha feature and off.
	Prepare: func(l, old *coordinationv1.Lease) {
		if old == nil || old.Spec.Strategy == nil {
			l.Spec.Strategy = nil
		}
		if old == nil || old.Spec.PreferredHolder == nil {
			l.Spec.PreferredHolder = nil
		}
	},
	Validate: validateLease,
	Columns: &api.Table[*coordinationv1.Lease]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(), api.Column("Holder", "string", coordinationv1.LeaseSpec{}.SwaggerDoc()["holderIdentity"]), api.AgeColumn(),
		},
		Cells: func(l *coordinationv1.Lease) []any {
			return []any{l.Name, ptr.Deref(l.Spec.HolderIdentity, ""), api.Age(l.CreationTimestamp.Time)}
		},
	},
})
