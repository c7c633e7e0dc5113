package core

import (
	"cmp"
	"context"
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describeNode writes what `describe node` shows.
func describeNode(ctx context.Context, w *api.DescribeWriter, c api.Reader, node *corev1.Node) error {
	pods, err := podsOnNode(ctx, w, c, node.Name)
	if err != nil && !apierrors.IsForbidden(err) {
		return err
	}
	w.Field(0, "Name", node.Name)
	w.Field(0, "Roles", api.None(strings.Join(NodeRoles(node), ",")))
	w.Labels("Labels", node.Labels)
	w.Annotations("Annotations", node.Annotations)
	w.Field(0, "CreationTimestamp", api.Time(node.CreationTimestamp))
	taints := slices.SortedStableFunc(slices.Values(node.Spec.Taints), func(a, b corev1.Taint) int {
		return cmp.Compare(string(a.Effect)+","+a.Key, string(b.Effect)+","+b.Key)
	})
	var texts []string
	for _, t := range taints {
		texts = append(texts, t.ToString())
	}
	w.List("", "Taints", texts)
	w.Field(0, "Unschedulable", node.Spec.Unschedulable)
	describeLease(ctx, w, c, node.Name)
	describeNodeStatus(w, node)
	w.FieldIf(0, "PodCIDR", node.Spec.PodCIDR)
	w.FieldIf(0, "PodCIDRs", strings.Join(node.Spec.PodCIDRs, ","))
	w.FieldIf(0, "ProviderID", node.Spec.ProviderID)
	if err != nil {
		w.Field(0, "Pods", "not authorized")
	} else {
		describeAllocation(w, node, pods)
	}
	describeNodeEvents(ctx, w, c, node)
	return nil
}

func podsOnNode(ctx context.Context, w *api.DescribeWriter, c api.Reader, node string) ([]corev1.Pod, error) {
	var pods []corev1.Pod
	opts := metav1.ListOptions{FieldSelector: "spec.nodeName=" + node + ",status.phase!=Failed,status.phase!=Succeeded", Limit: w.ChunkSize}
	err := api.Pages(ctx, c, "", opts, func(page *corev1.PodList) { pods = append(pods, page.Items...) })
	return pods, err
}

func describeLease(ctx context.Context, w *api.DescribeWriter, c api.Reader, node string) {
	var lease coordinationv1.Lease
	if err := c.Get(ctx, corev1.NamespaceNodeLease, node, &lease); err != nil {
		w.Print(0, "Lease:\tFailed to get lease: %s\n", err)
		return
	}
	moment := func(t *metav1.MicroTime) string {
		if t == nil {
			return "<unset>"
		}
		return api.Time(metav1.Time{Time: t.Time})
	}
	holder := "<unset>"
	if lease.Spec.HolderIdentity != nil {
		holder = *lease.Spec.HolderIdentity
	}
	w.Print(0, "Lease:\n")
	w.Field(1, "HolderIdentity", holder)
	w.Field(1, "AcquireTime", moment(lease.Spec.AcquireTime))
	w.Field(1, "RenewTime", moment(lease.Spec.RenewTime))
}

func describeNodeStatus(w *api.DescribeWriter, node *corev1.Node) {
	if len(node.Status.Conditions) > 0 {
		w.Print(0, "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n")
		w.Print(1, "----\t------\t-----------------\t------------------\t------\t-------\n")
	}
	for _, c := range node.Status.Conditions {
		w.Print(1, "%v \t%v \t%s \t%s \t%v \t%v\n", c.Type, c.Status, api.Time(c.LastHeartbeatTime), api.Time(c.LastTransitionTime), c.Reason, c.Message)
	}
	w.Print(0, "Addresses:\n")
	for _, a := range node.Status.Addresses {
		w.Field(1, string(a.Type), a.Address)
	}
	if len(node.Status.Capacity) > 0 {
		w.Print(0, "Capacity:\n")
		describeResourceList(w, node.Status.Capacity, 1)
	}
	if len(node.Status.Allocatable) > 0 {
		w.Print(0, "Allocatable:\n")
		describeResourceList(w, node.Status.Allocatable, 1)
	}
	info := node.Status.NodeInfo
	w.Print(0, "System Info:\n")
	w.Field(1, "Machine ID", info.MachineID)
	w.Field(1, "System UUID", info.SystemUUID)
	w.Field(1, "Boot ID", info.BootID)
	w.Field(1, "Kernel Version", info.KernelVersion)
	w.Field(1, "OS Image", info.OSImage)
	w.Field(1, "Operating System", info.OperatingSystem)
	w.Field(1, "Architecture", info.Architecture)
	w.Field(1, "Container Runtime Version", info.ContainerRuntimeVersion)
	w.Field(1, "Kubelet Version", info.KubeletVersion)
}

// describeNodeEvents writes the events about a node: controllers name it by its UID, kubelets by its name.
func describeNodeEvents(ctx context.Context, w *api.DescribeWriter, c api.Reader, node *corev1.Node) {
	if !w.Events {
		return
	}
	var events []corev1.Event
	for _, uid := range []string{string(node.UID), node.Name} {
		found, err := w.FindEvents(ctx, c, api.EventsAbout(node.Name, "", "Node", uid), "")
		if err != nil {
			return
		}
		events = append(events, found...)
	}
	w.WriteEvents(events)
}
