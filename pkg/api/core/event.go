package core

import (
	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
)

// Event is the kind v1 Event.
var Event = api.Define(api.Spec[*corev1.Event]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Event", Resource: "events",
	ShortNames: []string{"ev"}, Namespaced: true,
	List:           &corev1.EventList{},
	CreateOnUpdate: true,
})
