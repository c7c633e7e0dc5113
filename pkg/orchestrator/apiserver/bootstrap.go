package apiserver

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"

	"github.com/kubeskiff/skiff/pkg/orchestrator/auth"
)

// systemNamespaces are there in every cluster.
var systemNamespaces = []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, corev1.NamespaceNodeLease}

// bootstrapInterval is how soon what somebody deleted is there again, upstream's.
const bootstrapInterval = 10 * time.Second

// Bootstrap writes what every cluster has from its first moment: the system namespaces and the kubernetes Service that leads
// to this server. The in-memory listener must be served.
func (s *Server) Bootstrap(ctx context.Context) error {
	client, err := s.bootstrapClient()
	if err != nil {
		return err
	}
	return s.bootstrap(ctx, client)
}

// KeepBootstrapped writes again what Bootstrap wrote and somebody deleted or changed, until ctx ends.
func (s *Server) KeepBootstrapped(ctx context.Context) error {
	client, err := s.bootstrapClient()
	if err != nil {
		return err
	}
	tick := time.NewTicker(bootstrapInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// What fails now, another write in between for one, is tried again.
			_ = s.bootstrap(ctx, client)
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Server) bootstrapClient() (kubernetes.Interface, error) {
	config := s.ClientConfig(auth.User{Name: auth.UserAPIServer, Groups: []string{auth.GroupMasters, auth.GroupAuthenticated}})
	config.UserAgent = "kube-apiserver"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	return client, nil
}

func (s *Server) bootstrap(ctx context.Context, client kubernetes.Interface) error {
	for _, name := range systemNamespaces {
		// Asked for first: on a later start they are there, and a write that fails costs more.
		if _, err := client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{}); err == nil {
			continue
		}
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := client.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create namespace %s: %w", name, err)
		}
	}
	if err := s.bootstrapService(ctx, client); err != nil {
		return fmt.Errorf("create the kubernetes service: %w", err)
	}
	if !s.cfg.Endpoint.IsValid() {
		return nil
	}
	if err := s.bootstrapEndpoints(ctx, client); err != nil {
		return fmt.Errorf("write the endpoints of the kubernetes service: %w", err)
	}
	return nil
}

const selfName = "kubernetes"

// ServiceIP is the cluster IP of the kubernetes Service: the first of the range.
func ServiceIP(services netip.Prefix) netip.Addr { return services.Masked().Addr().Next() }

func (s *Server) bootstrapService(ctx context.Context, client kubernetes.Interface) error {
	if s.resources.byGVR[corev1.SchemeGroupVersion.WithResource("services")] == nil {
		return nil
	}
	target := int(s.cfg.Endpoint.Port())
	if target == 0 {
		target = 6443
	}
	services := client.CoreV1().Services(metav1.NamespaceDefault)
	// Asked for first: on a later start the address is taken, by this very service.
	if _, err := services.Get(ctx, selfName, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		return err
	}
	_, err := services.Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: selfName, Labels: map[string]string{"component": "apiserver", "provider": "kubernetes"}},
		Spec: corev1.ServiceSpec{
			Type: corev1.ServiceTypeClusterIP, ClusterIP: ServiceIP(s.cfg.ServiceRange).String(), SessionAffinity: corev1.ServiceAffinityNone,
			Ports: []corev1.ServicePort{{Name: "https", Protocol: corev1.ProtocolTCP, Port: 443, TargetPort: intstr.FromInt(target)}},
		},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// bootstrapEndpoints writes where this server is, as Endpoints and as an EndpointSlice.
func (s *Server) bootstrapEndpoints(ctx context.Context, client kubernetes.Interface) error {
	ip, port := s.cfg.Endpoint.Addr().String(), int32(s.cfg.Endpoint.Port())
	want := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Name: selfName, Labels: map[string]string{discoveryv1.LabelSkipMirror: "true"}},
		Subsets: []corev1.EndpointSubset{{
			Addresses: []corev1.EndpointAddress{{IP: ip}}, Ports: []corev1.EndpointPort{{Name: "https", Port: port, Protocol: corev1.ProtocolTCP}},
		}},
	}
	endpoints := client.CoreV1().Endpoints(metav1.NamespaceDefault)
	have, err := endpoints.Get(ctx, selfName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = endpoints.Create(ctx, want, metav1.CreateOptions{})
	case err == nil && !reflect.DeepEqual(have.Subsets, want.Subsets):
		have.Subsets = want.Subsets
		_, err = endpoints.Update(ctx, have, metav1.UpdateOptions{})
	}
	if err != nil {
		return err
	}
	return bootstrapSlice(ctx, client, ip, port)
}

func bootstrapSlice(ctx context.Context, client kubernetes.Interface, ip string, port int32) error {
	family := discoveryv1.AddressTypeIPv4
	if a, err := netip.ParseAddr(ip); err == nil && a.Is6() {
		family = discoveryv1.AddressTypeIPv6
	}
	name, protocol, ready := "https", corev1.ProtocolTCP, true
	want := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: selfName, Labels: map[string]string{discoveryv1.LabelServiceName: selfName}},
		AddressType: family,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{ip}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		Ports:       []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
	slices := client.DiscoveryV1().EndpointSlices(metav1.NamespaceDefault)
	have, err := slices.Get(ctx, selfName, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = slices.Create(ctx, want, metav1.CreateOptions{})
	case err == nil && (!reflect.DeepEqual(have.Endpoints, want.Endpoints) || !reflect.DeepEqual(have.Ports, want.Ports)):
		have.Endpoints, have.Ports = want.Endpoints, want.Ports
		_, err = slices.Update(ctx, have, metav1.UpdateOptions{})
	}
	return err
}
