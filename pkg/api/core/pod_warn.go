package core

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// warnPod warns on create only: updates of pods come from controllers more than from people.
func warnPod(p, old *corev1.Pod) (warnings []string) {
	if old != nil {
		return nil
	}
	if msgs := validation.IsDNS1123Label(p.Name); len(msgs) > 0 {
		warnings = append(warnings, fmt.Sprintf("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: %v", msgs))
	}
	return append(warnings, warnPodSpec(&p.Spec, p.Annotations, nil)...)
}

// WarnPodTemplate gives the warnings about a workload's pod template.
func WarnPodTemplate(t *corev1.PodTemplateSpec, path *field.Path) []string {
	return warnPodSpec(&t.Spec, t.Annotations, path)
}

// warner collects warnings that begin with a path.
type warner struct {
	spec     *corev1.PodSpec
	path     *field.Path
	warnings []string
}

func (w *warner) warn(path *field.Path, format string, args ...any) {
	w.warnings = append(w.warnings, path.String()+": "+fmt.Sprintf(format, args...))
}

func warnPodSpec(s *corev1.PodSpec, annotations map[string]string, path *field.Path) []string {
	w := &warner{spec: s, path: path.Child("spec")}
	w.nodeLabels()
	w.annotations(annotations, path.Child("metadata", "annotations"))
	w.volumes()
	w.overlaps()
	w.names()
	w.bytes(s.Overhead, w.path.Child("overhead"))
	w.each(w.resourcesAndEnv)
	w.ports()
	if g := s.TerminationGracePeriodSeconds; g != nil && *g < 0 {
		w.warn(w.path.Child("terminationGracePeriodSeconds"), "must be >= 0; negative values are invalid and will be treated as 1")
	}
	w.affinity()
	w.addresses()
	return w.warnings
}

// each visits init containers, containers and ephemeral containers with their paths.
func (w *warner) each(visit func(c *corev1.Container, path *field.Path)) {
	for i := range w.spec.InitContainers {
		visit(&w.spec.InitContainers[i], w.path.Child("initContainers").Index(i))
	}
	for i := range w.spec.Containers {
		visit(&w.spec.Containers[i], w.path.Child("containers").Index(i))
	}
	for i := range w.spec.EphemeralContainers {
		visit((*corev1.Container)(&w.spec.EphemeralContainers[i].EphemeralContainerCommon), w.path.Child("ephemeralContainers").Index(i))
	}
}

func deprecatedLabel(key string) string {
	switch key {
	case "beta.kubernetes.io/arch":
		return `deprecated since v1.14; use "kubernetes.io/arch" instead`
	case "beta.kubernetes.io/os":
		return `deprecated since v1.14; use "kubernetes.io/os" instead`
	case "failure-domain.beta.kubernetes.io/region":
		return `deprecated since v1.17; use "topology.kubernetes.io/region" instead`
	case "failure-domain.beta.kubernetes.io/zone":
		return `deprecated since v1.17; use "topology.kubernetes.io/zone" instead`
	case "beta.kubernetes.io/instance-type":
		return `deprecated since v1.17; use "node.kubernetes.io/instance-type" instead`
	case "app.kubernetes.io/created-by":
		return "deprecated since v1.9"
	case "scheduler.alpha.kubernetes.io/preferAvoidPods":
		return "deprecated since v1.22; use Taints and Tolerations instead"
	case "node-role.kubernetes.io/master":
		return `use "node-role.kubernetes.io/control-plane" instead`
	}
	return ""
}

func (w *warner) nodeLabels() {
	for _, key := range slices.Sorted(maps.Keys(w.spec.NodeSelector)) {
		if msg := deprecatedLabel(key); msg != "" {
			w.warn(w.path.Child("nodeSelector").Key(key), "%s", msg)
		}
	}
	if a := w.spec.Affinity; a != nil && a.NodeAffinity != nil {
		at := w.path.Child("affinity", "nodeAffinity")
		if r := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution; r != nil {
			for i := range r.NodeSelectorTerms {
				w.nodeTerm(&r.NodeSelectorTerms[i], false, at.Child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").Index(i))
			}
		}
		for i := range a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution {
			w.nodeTerm(&a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution[i].Preference, true,
				at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("preference"))
		}
	}
	for i, c := range w.spec.TopologySpreadConstraints {
		at := w.path.Child("topologySpreadConstraints").Index(i)
		if msg := deprecatedLabel(c.TopologyKey); msg != "" {
			w.warn(at.Child("topologyKey"), "%s is %s", c.TopologyKey, msg)
		}
		if c.LabelSelector == nil {
			w.warn(at.Child("labelSelector"), matchesNone)
		}
	}
}

const matchesNone = "a null labelSelector results in matching no pod"

func (w *warner) nodeTerm(t *corev1.NodeSelectorTerm, values bool, path *field.Path) {
	for i, r := range t.MatchExpressions {
		at := path.Child("matchExpressions").Index(i)
		if msg := deprecatedLabel(r.Key); msg != "" {
			w.warn(at.Child("key"), "%s is %s", r.Key, msg)
		}
		for j, v := range r.Values {
			for _, msg := range validation.IsValidLabelValue(v) {
				if values {
					w.warn(at.Child("values").Index(j), "%s is invalid, %s", v, msg)
				}
			}
		}
	}
}

func (w *warner) annotations(annotations map[string]string, path *field.Path) {
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		switch {
		case key == "scheduler.alpha.kubernetes.io/critical-pod":
			w.warn(path.Key(key), `non-functional in v1.16+; use the "priorityClassName" field instead`)
		case strings.HasPrefix(key, "security.alpha.kubernetes.io/sysctls"), strings.HasPrefix(key, "security.alpha.kubernetes.io/unsafe-sysctls"):
			w.warn(path.Key(key), `non-functional in v1.11+; use the "sysctls" field instead`)
		}
	}
	const seccomp = `non-functional in v1.27+; use the "seccompProfile" field instead`
	if _, ok := annotations[corev1.SeccompPodAnnotationKey]; ok && (w.spec.SecurityContext == nil || w.spec.SecurityContext.SeccompProfile == nil) {
		w.warn(path.Key(corev1.SeccompPodAnnotationKey), "%s", seccomp)
	}
	w.each(func(c *corev1.Container, _ *field.Path) {
		key := corev1.SeccompContainerAnnotationKeyPrefix + c.Name
		if _, ok := annotations[key]; ok && (c.SecurityContext == nil || c.SecurityContext.SeccompProfile == nil) {
			w.warn(path.Key(key), "%s", seccomp)
		}
	})
}

// volumes warns of types that are no more. Paths are those of the fields, with upstream's own spellings.
func (w *warner) volumes() {
	for i := range w.spec.Volumes {
		v, at := &w.spec.Volumes[i], w.path.Child("volumes").Index(i)
		for _, t := range []struct {
			used       bool
			field, msg string
		}{
			{v.PhotonPersistentDisk != nil, "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
			{v.GitRepo != nil, "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
			{v.ScaleIO != nil, "scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
			{v.Flocker != nil, "flocker", "deprecated in v1.22, non-functional in v1.25+"},
			{v.StorageOS != nil, "storageOS", "deprecated in v1.22, non-functional in v1.25+"},
			{v.Quobyte != nil, "quobyte", "deprecated in v1.22, non-functional in v1.25+"},
			{v.Glusterfs != nil, "glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
			{v.CephFS != nil, "cephfs", "deprecated in v1.28, non-functional in v1.31+"},
			{v.RBD != nil, "rbd", "deprecated in v1.28, non-functional in v1.31+"},
		} {
			if t.used {
				w.warn(at.Child(t.field), "%s", t.msg)
			}
		}
	}
}

// names warns of what is there twice.
func (w *warner) names() {
	seen := sets.New[string]()
	for i, a := range w.spec.HostAliases {
		if seen.Has(a.IP) {
			w.warn(w.path.Child("hostAliases").Index(i).Child("ip"), "duplicate ip %q", a.IP)
		}
		seen.Insert(a.IP)
	}
	seen = sets.New[string]()
	for i, s := range w.spec.ImagePullSecrets {
		if seen.Has(s.Name) {
			w.warn(w.path.Child("imagePullSecrets").Index(i).Child("name"), "duplicate name %q", s.Name)
		}
		seen.Insert(s.Name)
	}
	for i, s := range w.spec.ImagePullSecrets {
		if s.Name == "" {
			w.warn(w.path.Child("imagePullSecrets").Index(i).Child("name"), "invalid empty name %q", s.Name)
		}
	}
}

// bytes warns of fractions of a byte.
func (w *warner) bytes(list corev1.ResourceList, path *field.Path) {
	for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if q, ok := list[name]; ok && q.MilliValue()%1000 != 0 {
			w.warn(path.Key(string(name)), "fractional byte value %q is invalid, must be an integer", q.String())
		}
	}
}

func (w *warner) resourcesAndEnv(c *corev1.Container, path *field.Path) {
	w.bytes(c.Resources.Limits, path.Child("resources", "limits"))
	w.bytes(c.Resources.Requests, path.Child("resources", "requests"))
	seen := sets.New[string]()
	for i, e := range c.Env {
		ref := "$(" + e.Name + ")"
		// X="$(X)…" goes on from what X was; anything else hides it.
		if seen.Has(e.Name) && (e.ValueFrom != nil || e.Value == ref || !strings.Contains(e.Value, ref)) {
			w.warn(path.Child("env").Index(i), "hides previous definition of %q, which may be dropped when using apply", e.Name)
		}
		seen.Insert(e.Name)
	}
}

func (w *warner) ports() {
	type place struct {
		path *field.Path
		port corev1.ContainerPort
	}
	ports, names := map[string][]place{}, map[string]*field.Path{}
	w.each(func(c *corev1.Container, path *field.Path) {
		for i, p := range c.Ports {
			at, key := path.Child("ports").Index(i), fmt.Sprintf("%d/%s", p.ContainerPort, p.Protocol)
			if p.HostIP != "" && p.HostPort == 0 {
				w.warn(at, "hostIP set without hostPort: {Name:%s HostPort:%d ContainerPort:%d Protocol:%s HostIP:%s}", p.Name, p.HostPort, p.ContainerPort, p.Protocol, p.HostIP)
			}
			for _, o := range ports[key] {
				if how := portClash(p, o.port); how != "" {
					w.warn(at, "%s port definition with %s", how, o.path)
				}
			}
			ports[key] = append(ports[key], place{at, p})
		}
	})
	w.each(func(c *corev1.Container, path *field.Path) {
		for i, p := range c.Ports {
			at := path.Child("ports").Index(i)
			if other := names[p.Name]; other != nil {
				w.warn(at, "duplicate port name %q with %s, services and probes that select ports by name will use %s", p.Name, other, other)
			} else if p.Name != "" {
				names[p.Name] = at
			}
		}
	})
}

// portClash says in what way two definitions of one container port are in each other's way.
func portClash(a, b corev1.ContainerPort) string {
	switch {
	case a.HostIP == b.HostIP && a.HostPort == b.HostPort:
		return "duplicate"
	case a.HostPort == 0 || b.HostPort == 0:
		return "overlapping"
	case a.HostPort == b.HostPort && (a.HostIP == "") != (b.HostIP == ""):
		return "dangerously ambiguous"
	}
	return ""
}

func (w *warner) affinity() {
	a := w.spec.Affinity
	if a == nil {
		return
	}
	terms := func(need []corev1.PodAffinityTerm, like []corev1.WeightedPodAffinityTerm, at *field.Path) {
		for i := range need {
			if need[i].LabelSelector == nil {
				w.warn(at.Child("requiredDuringSchedulingIgnoredDuringExecution").Index(i).Child("labelSelector"), matchesNone)
			}
		}
		for i := range like {
			if like[i].PodAffinityTerm.LabelSelector == nil {
				w.warn(at.Child("preferredDuringSchedulingIgnoredDuringExecution").Index(i).Child("podAffinityTerm", "labelSelector"), matchesNone)
			}
		}
	}
	if p := a.PodAffinity; p != nil {
		terms(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution, w.path.Child("affinity", "podAffinity"))
	}
	if p := a.PodAntiAffinity; p != nil {
		terms(p.RequiredDuringSchedulingIgnoredDuringExecution, p.PreferredDuringSchedulingIgnoredDuringExecution, w.path.Child("affinity", "podAntiAffinity"))
	}
}

func (w *warner) addresses() {
	if c := w.spec.DNSConfig; c != nil {
		w.warnings = append(w.warnings, warnIPs(w.path.Child("dnsConfig", "nameservers"), c.Nameservers)...)
	}
	for i, a := range w.spec.HostAliases {
		w.warnings = append(w.warnings, validation.GetWarningsForIP(w.path.Child("hostAliases").Index(i).Child("ip"), a.IP)...)
	}
}
