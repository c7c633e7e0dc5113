package service

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// wantsBalancer holds for services that are ours to serve: those of another class belong to someone else.
func wantsBalancer(s *corev1.Service) bool {
	return s.Spec.Type == corev1.ServiceTypeLoadBalancer && s.Spec.LoadBalancerClass == nil && s.DeletionTimestamp == nil
}

// done says whether a service has the address that it should have.
func done(s *corev1.Service, others map[netip.Addr]bool) bool {
	ingress := s.Status.LoadBalancer.Ingress
	if len(ingress) != 1 || !slices.Contains(s.Finalizers, finalizer) {
		return false
	}
	ip, err := netip.ParseAddr(ingress[0].IP)
	return err == nil && !others[ip] && (s.Spec.LoadBalancerIP == "" || s.Spec.LoadBalancerIP == ingress[0].IP)
}

// choose gives a service the address it asks for, the one it has, or the first free one of the pool. The first and last of
// an IPv4 range are network and broadcast address and stay free.
func choose(s *corev1.Service, pool netip.Prefix, used map[netip.Addr]bool) (netip.Addr, error) {
	if !pool.IsValid() {
		return netip.Addr{}, errors.New("no range of load balancer addresses is configured")
	}
	if want := s.Spec.LoadBalancerIP; want != "" {
		ip, err := netip.ParseAddr(want)
		switch {
		case err != nil:
			return netip.Addr{}, fmt.Errorf("loadBalancerIP %q is not an address", want)
		case !pool.Contains(ip):
			return netip.Addr{}, fmt.Errorf("loadBalancerIP %s is not in the range %s", want, pool)
		case used[ip]:
			return netip.Addr{}, fmt.Errorf("loadBalancerIP %s is in use by another service", want)
		}
		return ip, nil
	}
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ip, err := netip.ParseAddr(ingress.IP); err == nil && pool.Contains(ip) && !used[ip] {
			return ip, nil
		}
	}
	for ip := pool.Masked().Addr().Next(); pool.Contains(ip.Next()); ip = ip.Next() {
		if !used[ip] {
			return ip, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("every address of the range %s is in use", pool)
}
