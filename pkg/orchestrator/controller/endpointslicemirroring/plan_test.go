package endpointslicemirroring

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func endpointsOf(ips ...string) *corev1.Endpoints {
	e := &corev1.Endpoints{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db", UID: "db", Labels: map[string]string{"tier": "back"}, Annotations: map[string]string{
			corev1.LastAppliedConfigAnnotation: "{}", "note": "x",
		}},
		Subsets: []corev1.EndpointSubset{{Ports: []corev1.EndpointPort{{Name: "sql", Port: 5432, Protocol: corev1.ProtocolTCP}}}},
	}
	for _, ip := range ips {
		e.Subsets[0].Addresses = append(e.Subsets[0].Addresses, corev1.EndpointAddress{IP: ip})
	}
	return e
}

func TestMirror(t *testing.T) {
	e := endpointsOf("192.0.2.1", "192.0.2.2", "2001:db8::1", "nonsense")
	wanted, skipped, invalid := desired(e)
	if len(wanted) != 2 || skipped != 0 || invalid != 1 {
		t.Fatalf("%d slices, %d skipped, %d invalid", len(wanted), skipped, invalid)
	}
	p := makePlan(e, wanted, nil)
	if len(p.create) != 2 || len(p.create[0].Endpoints) != 2 || p.create[1].AddressType != discoveryv1.AddressTypeIPv6 {
		t.Fatalf("plan %+v", p)
	}
	if got := p.create[0]; fmt.Sprint(got.Annotations) != "map[note:x]" || len(got.Labels) != 3 || got.Labels[discoveryv1.LabelServiceName] != "db" {
		t.Errorf("labels %v, annotations %v", got.Labels, got.Annotations)
	}
	existing := p.create
	existing[0].Name, existing[1].Name = "db-a", "db-b"
	if p := makePlan(e, wanted, existing); len(p.create)+len(p.update)+len(p.remove) != 0 {
		t.Errorf("nothing changed, but the plan is %+v", p)
	}
	e = endpointsOf("192.0.2.9")
	e.Subsets[0].Ports[0].Port = 5433
	wanted, _, _ = desired(e)
	if p := makePlan(e, wanted, existing); len(p.update) != 1 || p.update[0].Name != "db-a" || *p.update[0].Ports[0].Port != 5433 || len(p.remove) != 1 {
		t.Errorf("changed: %+v", p)
	}
}

func TestTooMany(t *testing.T) {
	var ips []string
	for i := range 1100 {
		ips = append(ips, fmt.Sprintf("10.0.%d.%d", i/250, i%250))
	}
	wanted, skipped, _ := desired(endpointsOf(ips...))
	if len(wanted) != 1 || len(wanted[0].Endpoints) != maxEndpoints || skipped != 100 {
		t.Errorf("%d endpoints, %d skipped", len(wanted[0].Endpoints), skipped)
	}
}
