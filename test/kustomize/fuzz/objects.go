package main

import (
	"slices"
	"strings"
)

// head begins a resource and notes it.
func (g *grammar) head(apiVersion, kind string, namespaced bool) *value {
	name := g.name()
	for range 20 {
		if !g.exists(kind, name) || g.rarely(5) {
			break
		}
		name = g.name() + pick(g, "", "", "-2", "-b")
	}
	meta := object("name", pick(g, name, name, name, name, name, name, `"`+name+`"`))
	m := &made{apiVersion: apiVersion, kind: kind, name: name}
	if namespaced && g.chance(35) {
		m.namespace = g.namespace()
		meta.put("namespace", m.namespace)
	}
	if g.chance(35) {
		meta.put("labels", g.pairs(3))
	}
	if g.chance(35) {
		meta.put("annotations", g.pairs(3))
	}
	g.oddMeta(meta)
	doc := object("apiVersion", apiVersion, "kind", kind, "metadata", meta)
	m.doc = doc
	g.made = append(g.made, m)
	return doc
}

func (g *grammar) exists(kind, name string) bool {
	return slices.ContainsFunc(g.made, func(m *made) bool { return m.kind == kind && m.name == name })
}

func (g *grammar) oddMeta(meta *value) {
	switch g.IntN(60) {
	case 0:
		meta.put("creationTimestamp", "null")
	case 1:
		meta.put("generateName", "x-")
	case 2:
		meta.put("finalizers", list(raw("a/b")))
	case 3:
		meta.put("ownerReferences", list(object("apiVersion", "v1", "kind", pick(g, "ConfigMap", "Pod"), "name", g.name(), "uid", "u")))
	}
	if a := meta.get("annotations"); a != nil {
		switch g.IntN(60) {
		case 0:
			a.put("config.kubernetes.io/local-config", pick(g, `"true"`, `"false"`))
		case 1:
			a.put("internal.config.kubernetes.io/index", `"3"`)
		case 2:
			a.put("config.kubernetes.io/path", "p")
		case 3:
			a.put("internal.config.kubernetes.io/previousNames", "old")
		case 4:
			a.put("kustomize.config.k8s.io/needs-hash", `"true"`)
		case 5:
			a.put("kustomize.config.k8s.io/behavior", "merge")
		case 6:
			a.put("nginx.ingress.kubernetes.io/auth-secret", g.name())
		case 7, 8:
			a.put("internal.config.kubernetes.io/needsHashSuffix", "enabled")
		}
	}
}

// resource makes a manifest of some kind.
func (g *grammar) resource() *value {
	makers := []func() *value{
		g.workload, g.workload, g.workload, g.workload, g.pod, g.cronJob, g.service, g.service, g.configMap, g.configMap, g.secret,
		g.ingress, g.serviceAccount, g.role, g.binding, g.binding, g.claim, g.volume, g.autoscaler, g.budget, g.policy, g.ns,
		g.custom, g.custom, g.crd, g.webhook, g.apiService, g.list, g.storageClass,
	}
	if g.chance(2) || g.rarely(10) {
		return g.odd()
	}
	doc := pick(g, makers...)()
	if g.chance(8) {
		doc.put(g.unused(doc, g.key), g.value(3))
	}
	return doc
}

func (g *grammar) workload() *value {
	kind := pick(g, "Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job")
	apiVersion := "apps/v1"
	if kind == "Job" {
		apiVersion = "batch/v1"
	} else if g.chance(5) {
		apiVersion = pick(g, "extensions/v1beta1", "apps/v1beta1", "apps/v1beta2")
	}
	doc := g.head(apiVersion, kind, true)
	spec := object("replicas", g.maybe(40, "1", "2", "null", `"3"`))
	if g.chance(60) {
		spec.put("selector", object("matchLabels", g.pairs(2)))
	}
	spec.put("template", g.template())
	if g.chance(15) {
		spec.put("strategy", object("type", pick(g, "Recreate", "RollingUpdate"), "rollingUpdate", pick[any](g, nil, object("maxSurge", pick(g, "1", "25%")))))
	}
	if kind == "StatefulSet" {
		spec.put("serviceName", g.name())
		if g.chance(50) {
			spec.put("volumeClaimTemplates", list(object("metadata", object("name", g.name(), "labels", pick[any](g, nil, g.pairs(1))), "spec", object("storageClassName", g.name()))))
		}
	}
	return doc.put("spec", spec)
}

func (g *grammar) template() *value {
	t := object()
	if g.chance(70) {
		t.put("metadata", object("labels", g.pairs(2), "annotations", pick[any](g, nil, nil, g.pairs(2))))
	}
	return t.put("spec", g.podSpec())
}

func (g *grammar) pod() *value { return g.head("v1", "Pod", true).put("spec", g.podSpec()) }

func (g *grammar) cronJob() *value {
	return g.head(pick(g, "batch/v1", "batch/v1", "batch/v1beta1"), "CronJob", true).put("spec", object("schedule", pick(g, `"* * * * *"`, "'@daily'", "0 0 * * *"),
		"jobTemplate", object("metadata", pick[any](g, nil, object("labels", g.pairs(1))), "spec", object("template", g.template()))))
}

func (g *grammar) podSpec() *value {
	s := object("containers", list(few(g, 3, g.container)...))
	if g.chance(20) {
		s.put("initContainers", list(few(g, 2, g.container)...))
	}
	if g.chance(40) {
		s.put("volumes", list(few(g, 3, g.podVolume)...))
	}
	if g.chance(25) {
		s.put("serviceAccountName", g.name())
	}
	if g.chance(15) {
		s.put("imagePullSecrets", list(object("name", g.name())))
	}
	if g.chance(15) {
		s.put("tolerations", list(few(g, 2, func() *value {
			return object("key", g.maybe(60, "a", "b"), "operator", pick(g, "Exists", "Equal"), "effect", g.maybe(50, "NoSchedule"))
		})...))
	}
	if g.chance(15) {
		s.put("topologySpreadConstraints", list(few(g, 2, func() *value {
			return object("topologyKey", pick(g, "zone", "host"), "whenUnsatisfiable", g.maybe(60, "DoNotSchedule", "ScheduleAnyway"), "maxSkew", "1",
				"labelSelector", pick[any](g, nil, object("matchLabels", g.pairs(1))))
		})...))
	}
	if g.chance(15) {
		term := object("labelSelector", object("matchLabels", g.pairs(1)), "topologyKey", "zone")
		s.put("affinity", object(pick(g, "podAffinity", "podAntiAffinity"), pick(g,
			object("requiredDuringSchedulingIgnoredDuringExecution", list(term)),
			object("preferredDuringSchedulingIgnoredDuringExecution", list(object("weight", "1", "podAffinityTerm", term))))))
	}
	if g.chance(10) {
		s.put("hostAliases", list(object("ip", pick(g, "1.2.3.4", "5.6.7.8"), "hostnames", list(raw("a")))))
	}
	if g.chance(10) {
		s.put("securityContext", object("runAsUser", pick(g, "0", "1000"), "supplementalGroups", list(raw("1"), raw("2"))))
	}
	return s
}

func (g *grammar) container() *value {
	c := object("name", pick(g, "main", "main", "side", "init", "app"), "image", g.maybe(85, g.image()))
	if g.chance(40) {
		c.put("env", list(few(g, 3, g.env)...))
	}
	if g.chance(20) {
		c.put("envFrom", list(few(g, 2, func() *value {
			return object(pick(g, "configMapRef", "secretRef"), object("name", g.name()))
		})...))
	}
	if g.chance(30) {
		c.put("ports", list(few(g, 3, func() *value {
			return object("containerPort", pick(g, "80", "8080", "443"), "name", g.maybe(40, "http", "web"), "protocol", g.maybe(40, "TCP", "UDP"), "hostPort", g.maybe(10, "80"))
		})...))
	}
	if g.chance(25) {
		c.put("args", list(few(g, 3, func() *value { return g.scalar() })...))
	}
	if g.chance(15) {
		c.put("command", list(few(g, 2, func() *value { return g.scalar() })...))
	}
	if g.chance(25) {
		c.put("volumeMounts", list(few(g, 2, func() *value {
			return object("name", pick(g, "v", "w"), "mountPath", pick(g, "/a", "/b"), "subPath", g.maybe(20, "$(VAR)", "s"))
		})...))
	}
	if g.chance(20) {
		c.put("resources", object(pick(g, "limits", "requests"), object("cpu", pick(g, "100m", "1", `"2"`, "0.5"), "memory", "1Gi")))
	}
	if g.chance(10) {
		c.put("livenessProbe", object("httpGet", object("path", "/", "port", pick(g, "80", "http"))))
	}
	return c
}

// scalar is text or a block.
func (g *grammar) scalar() *value {
	if g.chance(15) {
		return g.block()
	}
	return raw(g.text())
}

func (g *grammar) env() *value {
	e := object("name", pick(g, "A", "B", "C", "PATH"))
	switch g.IntN(5) {
	case 0:
		e.put("valueFrom", object("configMapKeyRef", object("name", g.name(), "key", "a", "optional", g.maybe(20, "true"))))
	case 1:
		e.put("valueFrom", object("secretKeyRef", object("name", g.name(), "key", "a")))
	case 2:
		e.put("value", g.scalar())
	case 3:
		e.put("value", pick(g, "$(VAR)", "a", `"1"`, "x$(B)y", `"$(VAR)"`))
	}
	return e
}

func (g *grammar) podVolume() *value {
	v := object("name", pick(g, "v", "w"))
	switch g.IntN(6) {
	case 0:
		v.put("configMap", object("name", g.name(), "defaultMode", g.maybe(40, "0644", "420", "0o644", `"0644"`)))
	case 1:
		v.put("secret", object("secretName", g.name()))
	case 2:
		v.put("persistentVolumeClaim", object("claimName", g.name()))
	case 3:
		v.put("projected", object("sources", list(object("configMap", object("name", g.name())), object("secret", object("name", g.name())))))
	case 4:
		v.put("emptyDir", pick(g, "{}", "null", ""))
	case 5:
		v.put("hostPath", object("path", "/x"))
	}
	return v
}

// oneLine makes a text that a JSON patch or a field path may name.
func oneLine(s string) string { return strings.Trim(s, `"'`) }
