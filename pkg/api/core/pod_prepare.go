package core

import (
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func preparePod(p, old *corev1.Pod) {
	dropGated(&p.Spec)
	if old == nil {
		p.Generation = 1
		p.Status = corev1.PodStatus{Phase: corev1.PodPending}
		addGatedCondition(p)
		mergeLabelKeys(p)
		defaultPodResources(p)
		p.Status.QOSClass = PodQOS(p)
		return
	}
	p.Status = old.Status
	if p.Spec.Resources == nil && old.Spec.Resources != nil {
		p.Spec.Resources = old.Spec.Resources.DeepCopy()
	}
	movePodGeneration(p, old)
}

// movePodGeneration moves the generation when the spec changed.
func movePodGeneration(p, old *corev1.Pod) {
	p.Generation = old.Generation
	if !apiequality.Semantic.DeepEqual(p.Spec, old.Spec) {
		p.Generation++
	}
}

func addGatedCondition(p *corev1.Pod) {
	if len(p.Spec.SchedulingGates) > 0 {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonSchedulingGated,
			Message: "Scheduling is blocked due to non-empty scheduling gates", LastTransitionTime: metav1.Now(),
		})
	}
}

// preparePodStatus changes the status alone. What the kubelet does not know of (the quality class, observed generations)
// stays as it was.
func preparePodStatus(p, old *corev1.Pod) {
	p.Spec = old.Spec
	p.Generation = old.Generation
	p.DeletionTimestamp = old.DeletionTimestamp
	p.OwnerReferences = old.OwnerReferences
	s, was := &p.Status, &old.Status
	orElse(&s.QOSClass, was.QOSClass)
	if s.ResourceClaimStatuses == nil {
		s.ResourceClaimStatuses = was.ResourceClaimStatuses
	}
	if s.ExtendedResourceClaimStatus == nil {
		s.ExtendedResourceClaimStatus = was.ExtendedResourceClaimStatus
	}
	orElse(&s.ObservedGeneration, was.ObservedGeneration)
	seen := map[corev1.PodConditionType]int64{}
	for _, c := range was.Conditions {
		if _, ok := seen[c.Type]; !ok {
			seen[c.Type] = c.ObservedGeneration
		}
	}
	for i := range s.Conditions {
		orElse(&s.Conditions[i].ObservedGeneration, seen[s.Conditions[i].Type])
	}
}

// prepareEphemeralContainers changes the list of ephemeral containers alone.
func prepareEphemeralContainers(p, old *corev1.Pod) {
	list := p.Spec.EphemeralContainers
	p.Spec = *old.Spec.DeepCopy()
	p.Status = old.Status
	keepMeta(&p.ObjectMeta, &old.ObjectMeta)
	p.Spec.EphemeralContainers = list
	dropGated(&p.Spec)
	movePodGeneration(p, old)
}

// preparePodResize changes the resources of containers alone. Containers that were added, removed or renamed are left for
// validation to refuse.
func preparePodResize(p, old *corev1.Pod) {
	if !sameNames(p.Spec.Containers, old.Spec.Containers) || !sameNames(p.Spec.InitContainers, old.Spec.InitContainers) {
		return
	}
	asked := p.Spec
	p.Spec = *old.Spec.DeepCopy()
	p.Status = old.Status
	keepMeta(&p.ObjectMeta, &old.ObjectMeta)
	copyResources(p.Spec.Containers, asked.Containers)
	copyResources(p.Spec.InitContainers, asked.InitContainers)
	if asked.Resources != nil {
		p.Spec.Resources = asked.Resources
		defaultPodResources(p)
	}
	movePodGeneration(p, old)
}

func sameNames(a, b []corev1.Container) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

func copyResources(to, from []corev1.Container) {
	for i := range to {
		to[i].Resources, to[i].ResizePolicy = from[i].Resources, from[i].ResizePolicy
	}
}

// keepMeta keeps what a part of an object may not change of its metadata: everything but the resource version, which
// states what the writer has read, and the managed fields.
func keepMeta(m, old *metav1.ObjectMeta) { metav1.ResetObjectMetaForStatus(m, old) }

// mergeLabelKeys writes matchLabelKeys into the label selectors beside them, with the pod's own values.
func mergeLabelKeys(p *corev1.Pod) {
	for i := range p.Spec.TopologySpreadConstraints {
		c := &p.Spec.TopologySpreadConstraints[i]
		requireLabels(c.LabelSelector, c.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
	}
	for _, t := range affinityTerms(p.Spec.Affinity) {
		requireLabels(t.LabelSelector, t.MatchLabelKeys, metav1.LabelSelectorOpIn, p.Labels)
		requireLabels(t.LabelSelector, t.MismatchLabelKeys, metav1.LabelSelectorOpNotIn, p.Labels)
	}
}

func requireLabels(s *metav1.LabelSelector, keys []string, op metav1.LabelSelectorOperator, labels map[string]string) {
	if s == nil {
		return
	}
	for _, key := range keys {
		if value, ok := labels[key]; ok {
			s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{Key: key, Operator: op, Values: []string{value}})
		}
	}
}

// affinityTerms lists the terms for and against other pods.
func affinityTerms(a *corev1.Affinity) (terms []*corev1.PodAffinityTerm) {
	if a == nil {
		return nil
	}
	add := func(required []corev1.PodAffinityTerm, preferred []corev1.WeightedPodAffinityTerm) {
		for i := range preferred {
			terms = append(terms, &preferred[i].PodAffinityTerm)
		}
		for i := range required {
			terms = append(terms, &required[i])
		}
	}
	if t := a.PodAffinity; t != nil {
		add(t.RequiredDuringSchedulingIgnoredDuringExecution, t.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	if t := a.PodAntiAffinity; t != nil {
		add(t.RequiredDuringSchedulingIgnoredDuringExecution, t.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	return terms
}
