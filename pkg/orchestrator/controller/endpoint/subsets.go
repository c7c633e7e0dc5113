package endpoint

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"math"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/dump"

	"github.com/kubeskiff/skiff/pkg/orchestrator/controller"
)

// maxAddresses is how many addresses an Endpoints object may hold.
const maxAddresses = 1000

// subsets groups pods by the ports they serve; the order of ports and subsets is that of upstream's hashes.
func subsets(s *corev1.Service, pods []*corev1.Pod) []corev1.EndpointSubset {
	byPorts := map[string]*corev1.EndpointSubset{}
	for _, pod := range pods {
		if !controller.HasEndpoint(pod, s.Spec.PublishNotReadyAddresses) {
			continue
		}
		address, ok := addressOf(s, pod)
		ports := portsOf(s, pod)
		if !ok || len(ports) == 0 && !(len(s.Spec.Ports) == 0 && s.Spec.ClusterIP == corev1.ClusterIPNone) {
			continue
		}
		key := fmt.Sprint(ports)
		set := byPorts[key]
		if set == nil {
			set = &corev1.EndpointSubset{Ports: ports}
			byPorts[key] = set
		}
		if s.Spec.PublishNotReadyAddresses || controller.IsReady(pod) {
			set.Addresses = append(set.Addresses, address)
		} else {
			set.NotReadyAddresses = append(set.NotReadyAddresses, address)
		}
	}
	var all []corev1.EndpointSubset
	for _, set := range byPorts {
		slices.SortFunc(set.Addresses, byIP)
		slices.SortFunc(set.NotReadyAddresses, byIP)
		all = append(all, *set)
	}
	slices.SortFunc(all, func(a, b corev1.EndpointSubset) int { return byHash(a, b) })
	return all
}

func addressOf(s *corev1.Service, pod *corev1.Pod) (corev1.EndpointAddress, bool) {
	v6 := strings.Contains(s.Spec.ClusterIP, ":")
	if len(s.Spec.IPFamilies) > 0 {
		v6 = s.Spec.IPFamilies[0] == corev1.IPv6Protocol
	}
	for _, podIP := range pod.Status.PodIPs {
		ip, err := netip.ParseAddr(podIP.IP)
		if err != nil || ip.Is4() == v6 {
			continue
		}
		return corev1.EndpointAddress{
			IP:       ip.String(),
			Hostname: controller.EndpointHostname(pod, s),
			NodeName: new(pod.Spec.NodeName),
			TargetRef: &corev1.ObjectReference{
				Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID,
			},
		}, true
	}
	return corev1.EndpointAddress{}, false
}

func portsOf(s *corev1.Service, pod *corev1.Pod) []corev1.EndpointPort {
	var ports []corev1.EndpointPort
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		if number, ok := controller.TargetPort(pod, port); ok {
			ports = append(ports, corev1.EndpointPort{Name: port.Name, Port: number, Protocol: port.Protocol, AppProtocol: port.AppProtocol})
		}
	}
	slices.SortFunc(ports, func(a, b corev1.EndpointPort) int { return byHash(a, b) })
	return ports
}

func byIP(a, b corev1.EndpointAddress) int {
	return cmp.Or(cmp.Compare(a.IP, b.IP), cmp.Compare(a.TargetRef.UID, b.TargetRef.UID))
}

func byHash(a, b any) int { return bytes.Compare(hash(a), hash(b)) }

func hash(v any) []byte {
	h := fnv.New128a()
	fmt.Fprintf(h, "%v", dump.ForHash(v))
	return h.Sum(nil)
}

// truncate cuts what is too much, addresses that are not ready first, in proportion over the subsets; it reports a cut.
func truncate(sets []corev1.EndpointSubset) bool {
	ready, notReady := 0, 0
	for i := range sets {
		ready += len(sets[i].Addresses)
		notReady += len(sets[i].NotReadyAddresses)
	}
	if ready+notReady <= maxAddresses {
		return false
	}
	total, room := notReady, maxAddresses-ready
	if ready > maxAddresses {
		total, room = ready, maxAddresses
	}
	left := room
	for i := range sets {
		set := &sets[i].NotReadyAddresses
		if ready > maxAddresses {
			sets[i].NotReadyAddresses = nil
			set = &sets[i].Addresses
		}
		share := int(math.Ceil(float64(len(*set)) / float64(total) * float64(room)))
		*set = (*set)[:min(share, left, len(*set))]
		left -= len(*set)
	}
	return true
}
