package core

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describeService writes what `describe service` shows.
func describeService(ctx context.Context, w *api.DescribeWriter, c api.Reader, s *corev1.Service) error {
	var slices discoveryv1.EndpointSliceList
	// Without the right to read them the service is described all the same.
	_ = c.List(ctx, s.Namespace, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + s.Name}, &slices)
	w.Head(s)
	w.Field(0, "Selector", labels.FormatLabels(s.Spec.Selector))
	w.Field(0, "Type", s.Spec.Type)
	describeServiceAddresses(w, s)
	for i := range s.Spec.Ports {
		describeServicePort(w, &s.Spec.Ports[i], slices.Items)
	}
	w.Field(0, "Session Affinity", s.Spec.SessionAffinity)
	w.FieldIf(0, "External Traffic Policy", string(s.Spec.ExternalTrafficPolicy))
	if p := s.Spec.InternalTrafficPolicy; p != nil {
		w.Field(0, "Internal Traffic Policy", *p)
	}
	if p := s.Spec.HealthCheckNodePort; p != 0 {
		w.Field(0, "HealthCheck NodePort", p)
	}
	w.FieldIf(0, "LoadBalancer Source Ranges", strings.Join(s.Spec.LoadBalancerSourceRanges, ","))
	if d := s.Spec.TrafficDistribution; d != nil {
		w.Field(0, "Traffic Distribution", *d)
	}
	w.EventsOf(ctx, c, s, "Service")
	return nil
}

func describeServiceAddresses(w *api.DescribeWriter, s *corev1.Service) {
	if p := s.Spec.IPFamilyPolicy; p != nil {
		w.Field(0, "IP Family Policy", *p)
	}
	families := make([]string, 0, len(s.Spec.IPFamilies))
	for _, f := range s.Spec.IPFamilies {
		families = append(families, string(f))
	}
	w.Field(0, "IP Families", api.None(strings.Join(families, ",")))
	w.Field(0, "IP", s.Spec.ClusterIP)
	w.Field(0, "IPs", api.None(strings.Join(s.Spec.ClusterIPs, ",")))
	w.FieldIf(0, "External IPs", strings.Join(s.Spec.ExternalIPs, ","))
	w.FieldIf(0, "Desired LoadBalancer IP", s.Spec.LoadBalancerIP)
	w.FieldIf(0, "External Name", s.Spec.ExternalName)
	var ingress []string
	for _, in := range s.Status.LoadBalancer.Ingress {
		switch {
		case in.IP == "":
			ingress = append(ingress, in.Hostname)
		case in.IPMode != nil:
			ingress = append(ingress, fmt.Sprintf("%s (%s)", in.IP, *in.IPMode))
		default:
			ingress = append(ingress, in.IP)
		}
	}
	if len(ingress) > 0 {
		w.Field(0, "LoadBalancer Ingress", strings.Join(ingress, ", "))
	}
}

func describeServicePort(w *api.DescribeWriter, p *corev1.ServicePort, slices []discoveryv1.EndpointSlice) {
	name := p.Name
	if name == "" {
		name = "<unset>"
	}
	w.Print(0, "Port:\t%s\t%d/%s\n", name, p.Port, p.Protocol)
	w.Print(0, "TargetPort:\t%s/%s\n", p.TargetPort.String(), p.Protocol)
	if p.AppProtocol != nil {
		w.Field(0, "AppProtocol", *p.AppProtocol)
	}
	if p.NodePort != 0 {
		w.Print(0, "NodePort:\t%s\t%d/%s\n", name, p.NodePort, p.Protocol)
	}
	w.Field(0, "Endpoints", endpointsOfPort(slices, p.Name))
}

// endpointsOfPort lists the ready endpoints behind a port: three of them, and how many more there are. A slice without
// ports (of a headless service) counts for every port.
func endpointsOfPort(slices []discoveryv1.EndpointSlice, port string) string {
	const shown = 3
	if len(slices) == 0 {
		return "<none>"
	}
	var list []string
	count := 0
	add := func(s *discoveryv1.EndpointSlice, text func(address string) string) {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready != nil && !*e.Conditions.Ready || len(e.Addresses) == 0 {
				continue
			}
			if count++; count <= shown {
				list = append(list, text(e.Addresses[0]))
			}
		}
	}
	for i := range slices {
		if len(slices[i].Ports) == 0 {
			add(&slices[i], func(address string) string { return address })
		}
		for _, p := range slices[i].Ports {
			if p.Name != nil && *p.Name == port && p.Port != nil {
				add(&slices[i], func(address string) string { return net.JoinHostPort(address, strconv.Itoa(int(*p.Port))) })
			}
		}
	}
	text := strings.Join(list, ",")
	if count > shown {
		text += fmt.Sprintf(" + %d more...", count-shown)
	}
	return text
}
