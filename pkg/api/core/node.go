package core

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kubeskiff/skiff/pkg/api"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Node is the kind v1 Node.
var Node = api.Define(api.Spec[*corev1.Node]{
	GroupVersion: corev1.SchemeGroupVersion, Kind: "Node", Resource: "nodes",
	ShortNames: []string{"no"},
	List:       &corev1.NodeList{},
	Default:    defaultNode,
	Prepare:    prepareNode,
	Validate:   validateNode,
	Warn:       warnNode,
	Fields: map[string]func(*corev1.Node) string{
		"spec.unschedulable": func(n *corev1.Node) string { return strconv.FormatBool(n.Spec.Unschedulable) },
	},
	Subresources: api.Subresources{
		"status": api.Part(func(n, old *corev1.Node) { n.Spec = old.Spec }, validateNodeUpdate),
		"proxy":  connect("NodeProxyOptions", "create", "delete", "get", "patch", "update"),
	},
	Describe: describeNode,
	Columns:  nodeColumns,
})

func defaultNode(n *corev1.Node) {
	defaultCIDRs(&n.Spec)
	s := &n.Status
	if s.Allocatable == nil && s.Capacity != nil {
		s.Allocatable = s.Capacity.DeepCopy()
	}
	roundUp(s.Capacity)
	roundUp(s.Allocatable)
}

// defaultCIDRs keeps the single pod range and the list in step; where they differ the single one counts.
func defaultCIDRs(s *corev1.NodeSpec) {
	switch {
	case s.PodCIDR == "" && len(s.PodCIDRs) > 0:
		s.PodCIDR = s.PodCIDRs[0]
	case s.PodCIDR != "" && (len(s.PodCIDRs) == 0 || s.PodCIDRs[0] != s.PodCIDR):
		s.PodCIDRs = []string{s.PodCIDR}
	}
}

// prepareNode keeps the status on update. On create a node may bring its status along, as kubelets do.
func prepareNode(n, old *corev1.Node) {
	n.Spec.ConfigSource = nil
	n.Spec.PodPreemptionPolicy = nil // of a feature that is off
	if old == nil {
		n.Status.Config = nil
		return
	}
	n.Status = old.Status
}

func warnNode(n, _ *corev1.Node) (warnings []string) {
	if n.Spec.DoNotUseExternalID != "" {
		warnings = append(warnings, "spec.externalID: this field is deprecated, and is unused by Kubernetes")
	}
	for i, cidr := range n.Spec.PodCIDRs {
		warnings = append(warnings, validation.GetWarningsForCIDR(field.NewPath("spec", "podCIDRs").Index(i), cidr)...)
	}
	return warnings
}

var nodeColumns = &api.Table[*corev1.Node]{
	Definitions: []metav1.TableColumnDefinition{
		api.NameColumn(),
		api.Column("Status", "string", "The status of the node"),
		api.Column("Roles", "string", "The roles of the node"),
		api.AgeColumn(),
		api.Column("Version", "string", corev1.NodeSystemInfo{}.SwaggerDoc()["kubeletVersion"]),
		api.WideColumn("Internal-IP", corev1.NodeStatus{}.SwaggerDoc()["addresses"]),
		api.WideColumn("External-IP", corev1.NodeStatus{}.SwaggerDoc()["addresses"]),
		api.WideColumn("OS-Image", corev1.NodeSystemInfo{}.SwaggerDoc()["osImage"]),
		api.WideColumn("Kernel-Version", corev1.NodeSystemInfo{}.SwaggerDoc()["kernelVersion"]),
		api.WideColumn("Container-Runtime", corev1.NodeSystemInfo{}.SwaggerDoc()["containerRuntimeVersion"]),
	},
	Cells: func(n *corev1.Node) []any {
		info := n.Status.NodeInfo
		kernel := orUnknown(info.KernelVersion)
		if info.Architecture != "" {
			kernel += " (" + info.Architecture + ")"
		}
		return []any{
			n.Name, nodeStatus(n), orNone(strings.Join(NodeRoles(n), ",")), api.Age(n.CreationTimestamp.Time), info.KubeletVersion,
			nodeAddress(n, corev1.NodeInternalIP), nodeAddress(n, corev1.NodeExternalIP),
			orUnknown(info.OSImage), kernel, orUnknown(info.ContainerRuntimeVersion),
		}
	},
}

func nodeStatus(n *corev1.Node) string {
	status := "Unknown"
	for _, c := range n.Status.Conditions {
		if c.Type != corev1.NodeReady {
			continue
		}
		status = "Ready"
		if c.Status != corev1.ConditionTrue {
			status = "NotReady"
		}
	}
	if n.Spec.Unschedulable {
		status += ",SchedulingDisabled"
	}
	return status
}

// NodeRoles gives the roles that a node's labels name, in order.
func NodeRoles(n *corev1.Node) (roles []string) {
	for key, value := range n.Labels {
		role, ok := strings.CutPrefix(key, "node-role.kubernetes.io/")
		switch {
		case ok && role != "":
			roles = append(roles, role)
		case key == "kubernetes.io/role" && value != "":
			roles = append(roles, value)
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

func nodeAddress(n *corev1.Node, typ corev1.NodeAddressType) string {
	for _, a := range n.Status.Addresses {
		if a.Type == typ {
			return a.Address
		}
	}
	return "<none>"
}

func orUnknown(s string) string {
	if s == "" {
		return "<unknown>"
	}
	return s
}
