package garbagecollector

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// ownerState is what is known of one owner of an object.
type ownerState uint8

const (
	solid   ownerState = iota // there, and to stay
	gone                      // it does not exist
	waiting                   // it goes as soon as its dependents have gone
)

// verdict is what becomes of an object, seen by its owners.
type verdict struct {
	// drop are owner references to take out, where other owners keep the object.
	drop []types.UID
	// delete says that no owner keeps it, with the policy to use.
	delete metav1.DeletionPropagation
}

// judge decides over an object: one solid owner keeps it; without any it is deleted in the way its finalizers ask for, or in
// the foreground if an owner waits for it and it has dependents of its own.
func judge(o *object, states map[types.UID]ownerState, hasDependents bool) verdict {
	var v verdict
	kept, awaited := len(o.owners) == 0, false
	for _, ref := range o.owners {
		switch states[ref.UID] {
		case solid:
			kept = true
		case waiting:
			awaited = true
			v.drop = append(v.drop, ref.UID)
		default:
			v.drop = append(v.drop, ref.UID)
		}
	}
	switch {
	case kept:
		return v
	case awaited && hasDependents:
		return verdict{delete: metav1.DeletePropagationForeground}
	case o.orphan:
		return verdict{delete: metav1.DeletePropagationOrphan}
	case o.foreground:
		return verdict{delete: metav1.DeletePropagationForeground}
	}
	return verdict{delete: metav1.DeletePropagationBackground}
}
