package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Service is the kind v1 Service. service_prepare.go makes sense of what users change, service_allocate.go hands out
// addresses and ports.
var Service = api.Define(api.Spec[*corev1.Service]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Service", Resource: "services",
	ShortNames: []string{"svc"}, Categories: []string{"all"}, Namespaced: true,
	List:           &corev1.ServiceList{},
	CreateOnUpdate: true,
	Default:        defaultService,
	Prepare:        prepareService,
	Validate:       validateService,
	Warn:           warnService,
	Allocate:       allocateService,
	Fields: map[string]func(*corev1.Service) string{
		"spec.clusterIP": func(s *corev1.Service) string { return s.Spec.ClusterIP },
		"spec.type":      func(s *corev1.Service) string { return string(s.Spec.Type) },
	},
	Subresources: api.Subresources{
		"proxy":  connect("ServiceProxyOptions", "create", "delete", "get", "patch", "update"),
		"status": api.Part(func(s, old *corev1.Service) { s.Spec = old.Spec }, validateServiceStatus),
	},
	Columns: &api.Table[*corev1.Service]{
		Definitions: []metav1.TableColumnDefinition{
			api.NameColumn(),
			api.Column("Type", "string", corev1.ServiceSpec{}.SwaggerDoc()["type"]),
			api.Column("Cluster-IP", "string", corev1.ServiceSpec{}.SwaggerDoc()["clusterIP"]),
			api.Column("External-IP", "string", corev1.ServiceSpec{}.SwaggerDoc()["externalIPs"]),
			api.Column("Port(s)", "string", corev1.ServiceSpec{}.SwaggerDoc()["ports"]),
			api.AgeColumn(),
			api.WideColumn("Selector", corev1.ServiceSpec{}.SwaggerDoc()["selector"]),
		},
		Cells: func(s *corev1.Service) []any {
			ip := ""
			if len(s.Spec.ClusterIPs) > 0 {
				ip = s.Spec.ClusterIPs[0]
			}
			return []any{
				s.Name, string(s.Spec.Type), orNone(ip), externalIP(s), orNone(servicePorts(s)),
				api.Age(s.CreationTimestamp.Time), labels.FormatLabels(s.Spec.Selector),
			}
		},
	},
	Describe:    describeService,
	PodSelector: servicePods,
	Expose:      exposeService,
	ForwardPort: forwardServicePort,
})

// servicePods selects what a service leads to.
func servicePods(s *corev1.Service) (labels.Selector, error) {
	if len(s.Spec.Selector) == 0 {
		return nil, fmt.Errorf("invalid service '%s': Service is defined without a selector", s.Name)
	}
	return labels.SelectorFromSet(s.Spec.Selector), nil
}

func externalIP(s *corev1.Service) string {
	switch s.Spec.Type {
	case corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort:
		return orNone(strings.Join(s.Spec.ExternalIPs, ","))
	case corev1.ServiceTypeLoadBalancer:
		if all := append(balancerAddresses(s), s.Spec.ExternalIPs...); len(all) > 0 {
			return strings.Join(all, ",")
		}
		return "<pending>"
	case corev1.ServiceTypeExternalName:
		return s.Spec.ExternalName
	}
	return "<unknown>"
}

func balancerAddresses(s *corev1.Service) (list []string) {
	for _, in := range s.Status.LoadBalancer.Ingress {
		if a := first(in.IP, in.Hostname); a != "" {
			list = append(list, a)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func servicePorts(s *corev1.Service) string {
	var list []string
	for _, p := range s.Spec.Ports {
		if p.NodePort > 0 {
			list = append(list, fmt.Sprintf("%d:%d/%s", p.Port, p.NodePort, p.Protocol))
		} else {
			list = append(list, fmt.Sprintf("%d/%s", p.Port, p.Protocol))
		}
	}
	return strings.Join(list, ",")
}
