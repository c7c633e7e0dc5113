package core

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kubeskiff/skiff/pkg/api"
)

// describePod writes what `describe pod` shows.
func describePod(ctx context.Context, w *api.DescribeWriter, c api.Reader, pod *corev1.Pod) error {
	w.Field(0, "Name", pod.Name)
	w.Field(0, "Namespace", pod.Namespace)
	if pod.Spec.Priority != nil {
		w.Field(0, "Priority", *pod.Spec.Priority)
	}
	w.FieldIf(0, "Priority Class Name", pod.Spec.PriorityClassName)
	if pod.Spec.RuntimeClassName != nil {
		w.FieldIf(0, "Runtime Class Name", *pod.Spec.RuntimeClassName)
	}
	w.FieldIf(0, "Service Account", pod.Spec.ServiceAccountName)
	node := "<none>"
	if pod.Spec.NodeName != "" {
		node = pod.Spec.NodeName + "/" + pod.Status.HostIP
	}
	w.Field(0, "Node", node)
	if pod.Status.StartTime != nil {
		w.Field(0, "Start Time", api.Time(*pod.Status.StartTime))
	}
	w.Labels("Labels", pod.Labels)
	w.Annotations("Annotations", pod.Annotations)
	describePodStatus(w, pod)
	d := podDescriber{w: w, pod: pod}
	if pod.Spec.Resources != nil {
		w.Print(0, "Resources:\n")
		DescribeResources(w, pod.Spec.Resources, 1)
	}
	if len(pod.Spec.InitContainers) > 0 {
		d.containers("Init Containers", pod.Spec.InitContainers, pod.Status.InitContainerStatuses)
	}
	d.containers("Containers", pod.Spec.Containers, pod.Status.ContainerStatuses)
	d.ephemeralContainers()
	d.conditions()
	d.volumes(pod.Spec.Volumes)
	w.Field(0, "QoS Class", pod.Status.QOSClass)
	w.Labels("Node-Selectors", pod.Spec.NodeSelector)
	d.tolerations(pod.Spec.Tolerations)
	d.spread(pod.Spec.TopologySpreadConstraints)
	d.schedulingGroup(pod.Spec.SchedulingGroup)
	describePodEvents(ctx, w, c, pod)
	return nil
}

// describePodStatus writes how the pod fares, its addresses and its owner.
func describePodStatus(w *api.DescribeWriter, pod *corev1.Pod) {
	ended := pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	if pod.DeletionTimestamp != nil && !ended {
		w.Print(0, "Status:\tTerminating (lasts %s)\n", api.Since(*pod.DeletionTimestamp))
		if pod.DeletionGracePeriodSeconds != nil {
			w.Print(0, "Termination Grace Period:\t%ds\n", *pod.DeletionGracePeriodSeconds)
		}
	} else {
		w.Field(0, "Status", pod.Status.Phase)
	}
	w.FieldIf(0, "Reason", pod.Status.Reason)
	w.FieldIf(0, "Message", pod.Status.Message)
	if sc := pod.Spec.SecurityContext; sc != nil && sc.SeccompProfile != nil {
		w.Field(0, "SeccompProfile", sc.SeccompProfile.Type)
		if sc.SeccompProfile.Type == corev1.SeccompProfileTypeLocalhost {
			w.Field(0, "LocalhostProfile", *sc.SeccompProfile.LocalhostProfile)
		}
	}
	w.Field(0, "IP", pod.Status.PodIP)
	if len(pod.Status.PodIPs) == 0 {
		w.Field(0, "IPs", "<none>")
	} else {
		w.Print(0, "IPs:\n")
	}
	for _, ip := range pod.Status.PodIPs {
		w.Field(1, "IP", ip.IP)
	}
	w.Controller(pod)
	w.FieldIf(0, "NominatedNodeName", pod.Status.NominatedNodeName)
}

func (d podDescriber) ephemeralContainers() {
	if len(d.pod.Spec.EphemeralContainers) == 0 {
		return
	}
	var containers []corev1.Container
	for _, e := range d.pod.Spec.EphemeralContainers {
		containers = append(containers, corev1.Container(e.EphemeralContainerCommon))
	}
	d.containers("Ephemeral Containers", containers, d.pod.Status.EphemeralContainerStatuses)
}

func (d podDescriber) conditions() {
	if len(d.pod.Spec.ReadinessGates) > 0 {
		d.w.Print(0, "Readiness Gates:\n  Type\tStatus\n")
	}
	for _, g := range d.pod.Spec.ReadinessGates {
		status := "<none>"
		for _, c := range d.pod.Status.Conditions {
			if c.Type == g.ConditionType {
				status = string(c.Status)
				break
			}
		}
		d.w.Print(1, "%v \t%v \n", g.ConditionType, status)
	}
	if len(d.pod.Status.Conditions) > 0 {
		d.w.Print(0, "Conditions:\n  Type\tStatus\n")
	}
	for _, c := range d.pod.Status.Conditions {
		d.w.Print(1, "%v \t%v \n", c.Type, c.Status)
	}
}

// describePodEvents writes the events of the pod, or for a mirror pod those of the static pod behind it.
func describePodEvents(ctx context.Context, w *api.DescribeWriter, c api.Reader, pod *corev1.Pod) {
	if uid, ok := pod.Annotations[corev1.MirrorPodAnnotationKey]; ok {
		pod = &corev1.Pod{ObjectMeta: *pod.ObjectMeta.DeepCopy()}
		pod.UID = types.UID(uid)
	}
	w.EventsOf(ctx, c, pod, "")
}
