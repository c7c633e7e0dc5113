package main

func (g *grammar) service() *value {
	ports := few(g, 3, func() *value {
		return object("port", pick(g, "80", "443", "53"), "name", g.maybe(40, "http", "dns"), "protocol", g.maybe(40, "TCP", "UDP"), "targetPort", g.maybe(40, "8080", "http", `"80"`))
	})
	doc := g.head("v1", "Service", true)
	spec := object("selector", pick[any](g, nil, g.pairs(2)), "ports", list(ports...), "type", g.maybe(20, "ClusterIP", "$(VAR)"))
	if g.chance(20) {
		doc.put("status", object("loadBalancer", "{}"))
	}
	return doc.put("spec", spec)
}

func (g *grammar) configMap() *value {
	doc := g.head("v1", "ConfigMap", true)
	if g.chance(85) {
		data := object()
		for range g.IntN(4) {
			data.put(g.unused(data, g.key), g.value(1))
		}
		doc.put("data", data)
	}
	if g.chance(10) {
		doc.put("binaryData", object("bin", "aGVsbG8="))
	}
	if g.chance(10) {
		doc.put("immutable", pick(g, "true", "false"))
	}
	return doc
}

func (g *grammar) secret() *value {
	doc := g.head("v1", "Secret", true).put("type", pick(g, "Opaque", "kubernetes.io/tls"))
	data := object()
	for range g.IntN(3) {
		data.put(g.unused(data, g.key), pick(g, "aGVsbG8=", `""`, "YQ=="))
	}
	return doc.put(pick(g, "data", "stringData"), data)
}

func (g *grammar) ingress() *value {
	spec := object()
	apiVersion := pick(g, "networking.k8s.io/v1", "networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1")
	backend := object("service", object("name", g.name(), "port", object("number", "80")))
	if apiVersion != "networking.k8s.io/v1" {
		backend = object("serviceName", g.name(), "servicePort", "80")
	}
	doc := g.head(apiVersion, "Ingress", true)
	if g.chance(30) {
		spec.put(pick(g, "defaultBackend", "backend"), backend.copy())
	}
	if g.chance(40) {
		spec.put("tls", list(object("hosts", list(raw("a.io")), "secretName", g.name())))
	}
	return doc.put("spec", spec.put("rules", list(object("host", pick(g, "a.io", `"*.b.io"`, "$(VAR)"), "http", object("paths", list(object("path", "/", "backend", backend)))))))
}

func (g *grammar) serviceAccount() *value {
	doc := g.head("v1", "ServiceAccount", true)
	if g.chance(30) {
		doc.put("imagePullSecrets", list(object("name", g.name())))
	}
	if g.chance(30) {
		doc.put("secrets", list(object("name", g.name())))
	}
	return doc
}

const rbac = "rbac.authorization.k8s.io/v1"

func (g *grammar) role() *value {
	kind := pick(g, "Role", "ClusterRole")
	doc := g.head(rbac, kind, kind == "Role")
	doc.put("rules", list(few(g, 2, func() *value {
		return object("apiGroups", list(raw(`""`)), "resources", list(raw(pick(g, "configmaps", "secrets", "deployments", "services"))), "resourceNames", list(raw(g.name())), "verbs", list(raw(`"*"`)))
	})...))
	if g.chance(10) {
		doc.put("aggregationRule", object("clusterRoleSelectors", list(object("matchLabels", g.pairs(1)))))
	}
	return doc
}

func (g *grammar) binding() *value {
	kind := pick(g, "RoleBinding", "RoleBinding", "ClusterRoleBinding")
	doc := g.head(rbac, kind, kind == "RoleBinding")
	doc.put("roleRef", object("apiGroup", "rbac.authorization.k8s.io", "kind", pick(g, "Role", "ClusterRole"), "name", g.name()))
	return doc.put("subjects", list(few(g, 2, func() *value {
		return object("kind", pick(g, "ServiceAccount", "ServiceAccount", "User"), "name", g.name(), "namespace", g.maybe(60, "default", "ns1", "prod"))
	})...))
}

func (g *grammar) claim() *value {
	return g.head("v1", "PersistentVolumeClaim", true).put("spec", object("storageClassName", g.name(), "volumeName", g.maybe(40, g.name()),
		"resources", object("requests", object("storage", pick(g, "1Gi", "10", "1e3")))))
}

func (g *grammar) volume() *value {
	spec := object("storageClassName", g.name(), "capacity", object("storage", "1Gi"))
	if g.chance(50) {
		spec.put("claimRef", object("name", g.name(), "namespace", g.maybe(60, "default", "ns1")))
	}
	if g.chance(30) {
		spec.put("azureFile", object("secretName", g.name()))
	}
	return g.head("v1", "PersistentVolume", false).put("spec", spec)
}

func (g *grammar) autoscaler() *value {
	return g.head(pick(g, "autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta2"), "HorizontalPodAutoscaler", true).put("spec", object(
		"scaleTargetRef", object("apiVersion", "apps/v1", "kind", pick(g, "Deployment", "StatefulSet"), "name", g.name()), "maxReplicas", "3"))
}

func (g *grammar) budget() *value {
	return g.head(pick(g, "policy/v1", "policy/v1beta1"), "PodDisruptionBudget", true).put("spec", object("minAvailable", pick(g, "1", "50%"), "selector", object("matchLabels", g.pairs(2))))
}

func (g *grammar) policy() *value {
	peer := object("podSelector", object("matchLabels", g.pairs(1)))
	return g.head("networking.k8s.io/v1", "NetworkPolicy", true).put("spec", object("podSelector", pick(g, object("matchLabels", g.pairs(2)), object("matchExpressions", list(object("key", "a", "operator", "Exists"))), object()),
		"ingress", list(object("from", list(peer))), "egress", pick[any](g, nil, list(object("to", list(peer.copy()))))))
}

func (g *grammar) ns() *value { return g.head("v1", "Namespace", false) }

func (g *grammar) custom() *value {
	doc := g.head(pick(g, "example.com/v1", "example.com/v1", "example.com/v1beta1", "monitoring.coreos.com/v1"), pick(g, "MyApp", "MyApp", "Widget", "ServiceMonitor"), true)
	spec := object("ref", g.name(), "configRef", object("name", g.name(), "kind", "ConfigMap"))
	for range g.IntN(4) {
		spec.put(g.unused(spec, g.key), g.value(3))
	}
	if g.chance(30) {
		spec.put("containers", list(g.container()))
	}
	if g.chance(30) {
		spec.put("template", g.template())
	}
	return doc.put("spec", spec)
}

func (g *grammar) crd() *value {
	doc := g.head("apiextensions.k8s.io/v1", "CustomResourceDefinition", false)
	return doc.put("spec", object("group", "example.com", "names", object("kind", "MyApp", "plural", "myapps"), "scope", pick(g, "Namespaced", "Cluster"),
		"conversion", pick[any](g, nil, object("strategy", "Webhook", "webhook", object("clientConfig", object("service", object("name", g.name(), "namespace", g.namespace()))))),
		"versions", list(object("name", "v1", "served", "true", "schema", object("openAPIV3Schema", object("type", "object", "description", g.scalar()))))))
}

func (g *grammar) webhook() *value {
	hook := func() *value {
		return object("name", pick(g, "a.io", "b.io"), "clientConfig", object("service", object("name", g.name(), "namespace", g.maybe(80, "default", "ns1"), "path", "/x"), "caBundle", g.maybe(30, "Cg==", "")))
	}
	return g.head("admissionregistration.k8s.io/v1", pick(g, "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"), false).put("webhooks", list(few(g, 2, hook)...))
}

func (g *grammar) apiService() *value {
	return g.head("apiregistration.k8s.io/v1", "APIService", false).put("spec", object("group", "g", "version", "v1", "service", object("name", g.name(), "namespace", g.namespace())))
}

func (g *grammar) storageClass() *value {
	return g.head(pick(g, "storage.k8s.io/v1", "scheduling.k8s.io/v1"), pick(g, "StorageClass", "PriorityClass"), false).put("provisioner", "x")
}

func (g *grammar) list() *value {
	return object("apiVersion", "v1", "kind", pick(g, "List", "List", "ConfigMapList", "RoleList"), "metadata", pick[any](g, nil, object("name", "l")), "items", list(few(g, 2, func() *value {
		return pick(g, g.configMap, g.service, g.workload)()
	})...))
}

// odd makes documents that are hardly resources, or none.
func (g *grammar) odd() *value {
	doc := g.configMap()
	switch []int{0, 2, 3, 4, 5, 7, 8, 9, 10, 11}[g.IntN(10)] {
	case 0:
		return raw(pick(g, "null", "{}", "", "# only a comment", "text", "[]"))
	case 2:
		doc.items[0] = raw(pick(g, "v2", "a/b/c", `""`, "1"))
	case 3:
		doc.items[1] = raw(pick(g, "Config", "1", `""`, "null", "MyList"))
	case 4:
		doc.items[2] = raw(pick(g, "null", "{}", "text", "[]"))
	case 5:
		doc.get("metadata").items[0] = raw(pick(g, "1", "null", `""`, "true", "1.0", "0x10", "2001-01-01", "a b", "é"))
	case 7:
		base := object("a", "1", "b", g.scalar())
		base.anchor = "base"
		doc.put("x", base).put("y", object("<<", "*base", "b", "2")).put("z", "*base")
	case 8:
		doc.put("list", list(list(list(raw("a"))), object(), list()))
	case 9:
		doc.put("<<", object("k", "v"))
	case 10:
		// A generator that merges into the resource wipes the key, so that the real one never sees that it is no string.
		g.made = g.made[:len(g.made)-1]
		doc.put(pick(g, "1", "true", "? a", "1.5", `"a b"`, "'a: b'", "é", "\"new\\nline\"", "a#b"), "v")
	case 11:
		s := raw("shared")
		s.anchor = "s"
		doc.put("p", s).put("q", list(raw("*s"), raw("*s")))
	}
	return doc
}
