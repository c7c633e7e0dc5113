package discovery

import (
	"context"
	"fmt"
	"strings"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describeEndpointSlice writes what `describe endpointslice` shows.
func describeEndpointSlice(ctx context.Context, w *api.DescribeWriter, c api.Reader, s *discoveryv1.EndpointSlice) error {
	w.Head(s)
	w.Field(0, "AddressType", s.AddressType)
	if len(s.Ports) == 0 {
		w.Print(0, "Ports: <unset>\n")
	} else {
		w.Print(0, "Ports:\n")
		w.Print(1, "Name\tPort\tProtocol\n")
		w.Print(1, "----\t----\t--------\n")
	}
	for _, p := range s.Ports {
		name := text(p.Name)
		if name == "" {
			name = "<unset>"
		}
		w.Print(1, "%s\t%s\t%s\n", name, text(p.Port), text(p.Protocol))
	}
	if len(s.Endpoints) == 0 {
		w.Print(0, "Endpoints: <none>\n")
	} else {
		w.Print(0, "Endpoints:\n")
	}
	for i := range s.Endpoints {
		describeEndpoint(w, &s.Endpoints[i])
	}
	w.EventsOf(ctx, c, s, "EndpointSlice")
	return nil
}

func describeEndpoint(w *api.DescribeWriter, e *discoveryv1.Endpoint) {
	w.Field(1, "- Addresses", api.None(strings.Join(e.Addresses, ", ")))
	w.Print(2, "Conditions:\n")
	w.Field(3, "Ready", text(e.Conditions.Ready))
	w.Field(2, "Hostname", text(e.Hostname))
	if e.TargetRef != nil {
		w.Field(2, "TargetRef", e.TargetRef.Kind+"/"+e.TargetRef.Name)
	}
	w.Field(2, "NodeName", text(e.NodeName))
	w.Field(2, "Zone", text(e.Zone))
}

// text gives what p points at, or <unset>.
func text[T any](p *T) string {
	if p == nil {
		return "<unset>"
	}
	return fmt.Sprint(*p)
}
