package expose

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kubeskiff/skiff/pkg/api"
)

// settings are what the user says of the service.
type settings struct {
	name, selector, labels     string
	port, targetPort, protocol string
	typ, clusterIP             string
	externalIP, loadBalancerIP string
	sessionAffinity            string
}

func (s *settings) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.protocol, "protocol", "", "Protocol of the service's ports; TCP, or what the object says.")
	fs.StringVar(&s.port, "port", "", "Port of the service; the object's by default.")
	fs.StringVar(&s.typ, "type", "", "Type of the service: ClusterIP (the default), NodePort, LoadBalancer or ExternalName.")
	fs.StringVar(&s.loadBalancerIP, "load-balancer-ip", "", "Address to ask for outside the cluster. For LoadBalancer.")
	fs.StringVar(&s.selector, "selector", "", "Labels of the pods by comma, key=value each; what the object selects by default.")
	fs.StringVarP(&s.labels, "labels", "l", "", "Labels of the service by comma; the object's by default.")
	fs.StringVar(&s.targetPort, "target-port", "", "Number or name of the container's port; the service's own port by default.")
	fs.StringVar(&s.externalIP, "external-ip", "", "Further address at which nodes take connections for the service.")
	fs.StringVar(&s.name, "name", "", "Name of the service; the object's by default.")
	fs.StringVar(&s.sessionAffinity, "session-affinity", "", `"None" or "ClientIP": whether a client always gets to the same pod.`)
	fs.StringVar(&s.clusterIP, "cluster-ip", "", `Address inside the cluster to ask for, or "None" for a headless service.`)
}

// service makes the service in front of what e says; name and labels are the object's.
func (s *settings) service(name string, e api.Exposure, labels map[string]string) (_ *corev1.Service, err error) {
	out := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec:       corev1.ServiceSpec{Selector: e.Selector, Type: corev1.ServiceType(s.typ), ClusterIP: s.clusterIP},
	}
	if s.port == "" && len(e.Ports) == 0 && s.clusterIP != corev1.ClusterIPNone {
		return nil, errors.New("couldn't find port via --port flag or introspection")
	}
	if s.selector != "" {
		if out.Spec.Selector, err = parseLabels(s.selector); err != nil {
			return nil, err
		}
	}
	if len(out.Spec.Selector) == 0 {
		return nil, errors.New("selector must be specified")
	}
	if s.labels != "" {
		if out.Labels, err = parseLabels(s.labels); err != nil {
			return nil, err
		}
	}
	if s.name != "" {
		out.Name = s.name
	}
	if out.Spec.Ports, err = s.ports(e.Ports); err != nil {
		return nil, err
	}
	if s.externalIP != "" {
		out.Spec.ExternalIPs = []string{s.externalIP}
	}
	if out.Spec.Type == corev1.ServiceTypeLoadBalancer {
		out.Spec.LoadBalancerIP = s.loadBalancerIP
	}
	switch a := corev1.ServiceAffinity(s.sessionAffinity); a {
	case "", corev1.ServiceAffinityNone, corev1.ServiceAffinityClientIP:
		out.Spec.SessionAffinity = a
	default:
		return nil, fmt.Errorf("unknown session affinity: %s", a)
	}
	return out, nil
}

// ports makes the service's ports: those of --port, else the object's. Several need names.
func (s *settings) ports(have []api.ExposedPort) ([]corev1.ServicePort, error) {
	var numbers []string
	protocols := map[string][]string{}
	for _, p := range have {
		n := strconv.Itoa(int(p.Number))
		if !slices.Contains(numbers, n) {
			numbers = append(numbers, n)
		}
		protocols[n] = append(protocols[n], string(p.Protocol))
	}
	if s.port != "" {
		numbers = strings.Split(s.port, ",")
	}
	var out []corev1.ServicePort
	for i, n := range numbers {
		number, err := strconv.Atoi(n)
		if err != nil {
			return nil, err
		}
		port := corev1.ServicePort{Port: int32(number), TargetPort: intstr.FromInt(number), Protocol: corev1.ProtocolTCP}
		if len(numbers) > 1 {
			port.Name = fmt.Sprintf("port-%d", i+1)
		}
		if s.targetPort != "" {
			port.TargetPort = intstr.Parse(s.targetPort)
		}
		switch known := protocols[n]; {
		case s.protocol != "":
			port.Protocol = corev1.Protocol(s.protocol)
		case len(known) == 1:
			port.Protocol = corev1.Protocol(known[0])
		case len(known) > 1:
			for _, protocol := range known {
				port.Name, port.Protocol = fmt.Sprintf("port-%d-%s", i+1, strings.ToLower(protocol)), corev1.Protocol(protocol)
				out = append(out, port)
			}
			continue
		}
		out = append(out, port)
	}
	return out, nil
}

// parseLabels reads key=value pairs by comma.
func parseLabels(text string) (map[string]string, error) {
	out := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		parts := strings.Split(pair, "=")
		switch {
		case len(parts) != 2:
			return nil, fmt.Errorf("unexpected label spec: %s", pair)
		case parts[0] == "":
			return nil, errors.New("unexpected empty label key")
		}
		out[parts[0]] = parts[1]
	}
	return out, nil
}
