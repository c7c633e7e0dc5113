package apiserver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/kubeskiff/skiff/pkg/api"
)

// splitProxyName reads [SCHEME:]NAME[:PORT], as proxy paths name their targets.
func splitProxyName(id string) (scheme, name, port string) {
	parts := strings.Split(id, ":")
	switch len(parts) {
	case 3:
		return parts[0], parts[1], parts[2]
	case 2:
		return "", parts[0], parts[1]
	}
	return "", id, ""
}

// proxyTarget is where nodes/proxy, pods/proxy and services/proxy lead.
func (s *Server) proxyTarget(q *request, parent api.Object) (target, error) {
	scheme, name, port := splitProxyName(q.path.name)
	u := &url.URL{Path: "/" + q.path.rest, RawQuery: q.URL.RawQuery}
	if scheme != "" && scheme != "http" {
		return target{}, apierrors.NewBadRequest(fmt.Sprintf("proxy to %s: only http is joined", name))
	}
	var address string
	switch o := parent.(type) {
	case *corev1.Node:
		return target{url: u, dial: s.kubelet(o.Name)}, nil
	case *corev1.Pod:
		if port == "" {
			port = firstPort(o)
		}
		if !proxyable(o.Status.PodIP) {
			return target{}, apierrors.NewBadRequest("address not allowed")
		}
		address = net.JoinHostPort(o.Status.PodIP, port)
	case *corev1.Service:
		number, err := servicePort(o, port)
		if err != nil {
			return target{}, err
		}
		address = net.JoinHostPort(o.Spec.ClusterIP, strconv.Itoa(int(number)))
	default:
		return target{}, notFoundPath()
	}
	u.Host = address
	return target{url: u, dial: func(ctx context.Context) (net.Conn, error) { return s.podDial(ctx, address) }}, nil
}

// proxyable keeps whoever may write a pod's status from reaching this machine's own services through the server.
func proxyable(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err == nil && a.IsValid() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified()
}

func (s *Server) podDial(ctx context.Context, address string) (net.Conn, error) {
	if s.cfg.PodDial != nil {
		return s.cfg.PodDial(ctx, "tcp", address)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

func firstPort(pod *corev1.Pod) string {
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			return strconv.Itoa(int(p.ContainerPort))
		}
	}
	return "80"
}

// servicePort finds a port by number or name; a service with one port needs none named.
func servicePort(svc *corev1.Service, want string) (int32, error) {
	for _, p := range svc.Spec.Ports {
		if p.Name == want || strconv.Itoa(int(p.Port)) == want || (want == "" && len(svc.Spec.Ports) == 1) {
			if svc.Spec.ClusterIP == "" || svc.Spec.ClusterIP == corev1.ClusterIPNone {
				break
			}
			return p.Port, nil
		}
	}
	return 0, apierrors.NewServiceUnavailable(fmt.Sprintf("no endpoints available for service %q", svc.Name))
}
