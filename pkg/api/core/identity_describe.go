package core

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describeNamespace writes what `describe namespace` shows. Quotas and limit ranges are no kinds of this server, so
// nothing is said of them, as the real one says nothing where it cannot find them.
func describeNamespace(_ context.Context, w *api.DescribeWriter, _ api.Reader, n *corev1.Namespace) error {
	w.Field(0, "Name", n.Name)
	w.Labels("Labels", n.Labels)
	w.Annotations("Annotations", n.Annotations)
	w.Field(0, "Status", n.Status.Phase)
	if len(n.Status.Conditions) > 0 {
		w.Print(0, "Conditions:\n")
		w.Print(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage\n")
		w.Print(1, "----\t------\t------------------\t------\t-------\n")
	}
	for _, c := range n.Status.Conditions {
		w.Print(1, "%v\t%v\t%s\t%v\t%v\n", c.Type, c.Status, api.Time(c.LastTransitionTime), c.Reason, c.Message)
	}
	return nil
}

// describeServiceAccount writes what `describe serviceaccount` shows.
func describeServiceAccount(ctx context.Context, w *api.DescribeWriter, c api.Reader, s *corev1.ServiceAccount) error {
	w.Head(s)
	const title = "Image pull secrets:"
	if len(s.ImagePullSecrets) == 0 {
		w.Print(0, "%s\t<none>\n", title)
	}
	for i, secret := range s.ImagePullSecrets {
		lead := title
		if i > 0 {
			lead = strings.Repeat(" ", len(title))
		}
		w.Print(0, "%s\t%s\n", lead, secret.Name)
	}
	w.EventsOf(ctx, c, s, "ServiceAccount")
	return nil
}

// describeEndpoints writes what `describe endpoints` shows.
func describeEndpoints(ctx context.Context, w *api.DescribeWriter, c api.Reader, e *corev1.Endpoints) error {
	w.Head(e)
	w.Print(0, "Subsets:\n")
	for i := range e.Subsets {
		describeSubset(w, &e.Subsets[i])
	}
	w.EventsOf(ctx, c, e, "Endpoints")
	return nil
}

func describeSubset(w *api.DescribeWriter, s *corev1.EndpointSubset) {
	join := func(addresses []corev1.EndpointAddress) string {
		ips := make([]string, 0, len(addresses))
		for _, a := range addresses {
			ips = append(ips, a.IP)
		}
		return api.None(strings.Join(ips, ","))
	}
	w.Field(1, "Addresses", join(s.Addresses))
	w.Field(1, "NotReadyAddresses", join(s.NotReadyAddresses))
	if len(s.Ports) > 0 {
		w.Print(1, "Ports:\n")
		w.Print(2, "Name\tPort\tProtocol\n")
		w.Print(2, "----\t----\t--------\n")
	}
	for _, p := range s.Ports {
		name := p.Name
		if name == "" {
			name = "<unset>"
		}
		w.Print(2, "%s\t%d\t%s\n", name, p.Port, p.Protocol)
	}
	w.Print(0, "\n")
}
