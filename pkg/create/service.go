package create

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kubeskiff/skiff/pkg/api"
	"github.com/kubeskiff/skiff/pkg/cli"
)

type service struct {
	typ          corev1.ServiceType
	tcp          []string
	clusterIP    string
	nodePort     int
	externalName string
}

func newService(f *cli.Factory) *cobra.Command {
	cmd := cli.Family("service", "Create a service using a specified subcommand", "Make a service of one of the types.",
		serviceCommand(f, corev1.ServiceTypeClusterIP, "clusterip NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]", "Create a ClusterIP service",
			"Make a service with an address inside the cluster.", `
  # Port 5678, which leads to port 8080 of the pods with app=web
  skiff create service clusterip web --tcp=5678:8080

  # Without an address: its name leads to the pods themselves
  skiff create service clusterip web --clusterip=None`),
		serviceCommand(f, corev1.ServiceTypeNodePort, "nodeport NAME [--tcp=port:targetPort] [--dry-run=server|client|none]", "Create a NodePort service",
			"Make a service with a port on every node.", `
  skiff create service nodeport web --tcp=5678:8080`),
		serviceCommand(f, corev1.ServiceTypeLoadBalancer, "loadbalancer NAME [--tcp=port:targetPort] [--dry-run=server|client|none]", "Create a LoadBalancer service",
			"Make a service with an address outside the cluster.", `
  skiff create service loadbalancer web --tcp=5678:8080`),
		serviceCommand(f, corev1.ServiceTypeExternalName, "externalname NAME --external-name external.name [--dry-run=server|client|none]", "Create an ExternalName service",
			"Make a service whose name leads to another DNS name.", `
  skiff create service externalname db --external-name db.example.com`),
	)
	cmd.Aliases = []string{"svc"}
	return cmd
}

func serviceCommand(f *cli.Factory, typ corev1.ServiceType, use, short, long, example string) *cobra.Command {
	s := &service{typ: typ}
	g := generator{
		use: use, short: short, long: long, example: example, failure: fmt.Sprintf("failed to create %s service: %%v", typ),
		flags: func(fs *pflag.FlagSet) {
			fs.StringSliceVar(&s.tcp, "tcp", nil, "Ports as port:targetPort, or one number for both.")
			switch typ {
			case corev1.ServiceTypeClusterIP:
				fs.StringVar(&s.clusterIP, "clusterip", "", `Address to take, or "None" for a headless service.`)
			case corev1.ServiceTypeNodePort:
				fs.IntVar(&s.nodePort, "node-port", 0, "Port to take on every node.")
			case corev1.ServiceTypeExternalName:
				fs.StringVar(&s.externalName, "external-name", "", "DNS name that the service leads to.")
			}
		},
		make: s.make,
	}
	if typ == corev1.ServiceTypeExternalName {
		g.required = []string{"external-name"}
	}
	return g.command(f)
}

func (s *service) make(name string, _ []string) (api.Object, error) {
	if s.clusterIP != corev1.ClusterIPNone && len(s.tcp) == 0 && s.typ != corev1.ServiceTypeExternalName {
		return nil, fmt.Errorf("at least one tcp port specifier must be provided")
	}
	if s.typ == corev1.ServiceTypeExternalName && len(validation.IsDNS1123Subdomain(s.externalName)) > 0 {
		return nil, fmt.Errorf("invalid service external name %s", s.externalName)
	}
	obj := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": name}},
		Spec: corev1.ServiceSpec{
			Type: s.typ, Selector: map[string]string{"app": name}, ExternalName: s.externalName, ClusterIP: s.clusterIP,
		},
	}
	for _, tcp := range s.tcp {
		port, target, err := parsePorts(tcp)
		if err != nil {
			return nil, err
		}
		obj.Spec.Ports = append(obj.Spec.Ports, corev1.ServicePort{
			Name: strings.ReplaceAll(tcp, ":", "-"), Port: port, TargetPort: target, Protocol: corev1.ProtocolTCP, NodePort: int32(s.nodePort),
		})
	}
	return obj, nil
}

// parsePorts reads port or port:target, where target may be a name.
func parsePorts(text string) (port int32, target intstr.IntOrString, err error) {
	first, second, both := strings.Cut(text, ":")
	n, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return 0, target, err
	}
	if !both {
		return int32(n), intstr.FromInt32(int32(n)), nil
	}
	t, err := strconv.Atoi(second)
	if err != nil {
		if errs := validation.IsValidPortName(second); len(errs) > 0 {
			return 0, target, errors.New(strings.Join(errs, ","))
		}
		return int32(n), intstr.FromString(second), nil
	}
	if errs := validation.IsValidPortNum(t); len(errs) > 0 {
		return 0, target, errors.New(strings.Join(errs, ","))
	}
	return int32(n), intstr.FromInt32(int32(t)), nil
}
