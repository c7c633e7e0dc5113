package core

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Endpoints is the kind v1 Endpoints, which EndpointSlices have replaced.
var Endpoints = api.Define(api.Spec[*corev1.Endpoints]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Endpoints", Resource: "endpoints",
	Singular: "endpoints", ShortNames: []string{"ep"}, Namespaced: true,
	List:           &corev1.EndpointsList{},
	CreateOnUpdate: true,
	Deprecated:     "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
	Default: func(e *corev1.Endpoints) {
		for i := range e.Subsets {
			for j := range e.Subsets[i].Ports {
				orElse(&e.Subsets[i].Ports[j].Protocol, corev1.ProtocolTCP)
			}
		}
	},
	Validate: validateEndpoints,
	Describe: describeEndpoints,
	Columns: &api.Table[*corev1.Endpoints]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(), api.Column("Endpoints", "string", corev1.Endpoints{}.SwaggerDoc()["subsets"]), api.AgeColumn(),
		},
		Cells: func(e *corev1.Endpoints) []any {
			return []any{e.Name, FormatEndpoints(e), api.Age(e.CreationTimestamp.Time)}
		},
	},
})

// shownEndpoints is how many addresses a cell holds.
const shownEndpoints = 3

// FormatEndpoints lists the first addresses and says how many more there are.
func FormatEndpoints(e *corev1.Endpoints) string {
	if len(e.Subsets) == 0 {
		return "<none>"
	}
	var shown []string
	count := 0
	show := func(address string) {
		if count++; count <= shownEndpoints {
			shown = append(shown, address)
		}
	}
	for i := range e.Subsets {
		s := &e.Subsets[i]
		if len(s.Ports) == 0 {
			for _, a := range s.Addresses {
				show(a.IP)
			}
		}
		for _, p := range s.Ports {
			for _, a := range s.Addresses {
				show(net.JoinHostPort(a.IP, strconv.Itoa(int(p.Port))))
			}
		}
	}
	list := strings.Join(shown, ",")
	if count > shownEndpoints {
		return fmt.Sprintf("%s + %d more...", list, count-shownEndpoints)
	}
	return list
}
