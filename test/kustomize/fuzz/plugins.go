package main

// plugins makes the entries of generators, transformers or validators: configs inline, in files, and in directories.
func (g *grammar) plugins(dir string, config func(string) *value) *value {
	var entries, docs []*value
	for i := range 1 + g.IntN(3) {
		c := config(dir)
		meta := c.get("metadata")
		if meta == nil {
			meta = object()
			c.put("metadata", meta)
		}
		name := pick(g, "one", "two", "three")
		if i > 0 && !g.rarely(10) {
			name += "-" + pick(g, "a", "b", "c", "d", "e")
		}
		meta.put("name", name)
		switch g.IntN(10) {
		case 0, 1, 2, 3:
			entries = append(entries, &value{text: "|-", block: c.String()})
		case 4:
			sub := g.write(dir, "made", "d", &file{})
			delete(g.tree.files, dir+"/"+sub)
			k := object("namePrefix", g.maybe(30, "changed-"), "resources", list(raw("c.yaml")))
			if g.chance(15) {
				k.put("namespace", g.namespace())
			}
			g.tree.files[dir+"/"+sub+"/kustomization.yaml"] = &file{docs: []*value{k}}
			g.tree.files[dir+"/"+sub+"/c.yaml"] = &file{docs: []*value{c}}
			entries = append(entries, raw(sub))
		default:
			docs = append(docs, c)
		}
	}
	if len(docs) > 0 {
		entries = append(entries, raw(g.write(dir, "plugin", "yaml", &file{docs: docs})))
	}
	return list(entries...)
}

// plugin begins the config of a built-in plugin.
func plugin(kind string) *value { return object("apiVersion", "builtin", "kind", kind) }

func (g *grammar) generatorPlugin(dir string) *value {
	switch g.IntN(8) {
	case 0:
		c := plugin("IAMPolicyGenerator").put("cloud", "gke")
		c.put("kubernetesService", object("name", pick(g, "ksa", "app", `"1"`), "namespace", g.maybe(50, "ns1", "prod", "true")))
		return c.put("serviceAccount", object("name", "sa", "projectId", pick(g, "project", "p-1")))
	case 1:
		if g.rarely(30) {
			return plugin(pick(g, "LabelTransformer", "SortOrderTransformer", "Nothing"))
		}
	}
	kind := pick(g, "ConfigMap", "ConfigMap", "Secret")
	c := plugin(kind + "Generator")
	from := g.generator(dir, kind)
	for i, key := range from.keys {
		if key == "namespace" && g.chance(50) {
			c.put("metadata", object("namespace", from.items[i].text))
			continue
		}
		c.put(key, from.items[i])
	}
	return c
}

func (g *grammar) transformerPlugin(dir string) *value {
	switch kind := pick(g, "Annotations", "Label", "Namespace", "Prefix", "Suffix", "PrefixSuffix", "ImageTag", "ReplicaCount", "Patch", "Patch",
		"PatchStrategicMerge", "PatchJson6902", "Replacement", "ValueAdd", "Hash"); kind {
	case "Annotations", "Label":
		key := "annotations"
		if kind == "Label" {
			key = "labels"
		}
		specs := list(few(g, 2, g.fieldSpec)...)
		if g.chance(60) {
			specs.items = append(specs.items, object("path", "metadata/"+key, "create", "true"))
		}
		return plugin(kind+"Transformer").put(key, g.pairs(2)).put("fieldSpecs", specs)
	case "Namespace":
		c := plugin("NamespaceTransformer").put("metadata", object("namespace", g.namespace()))
		c.put("unsetOnly", g.maybe(30, "true", "false"))
		c.put("setRoleBindingSubjects", g.maybe(50, "none", "defaultOnly", "allServiceAccounts"))
		if g.chance(50) {
			c.put("fieldSpecs", list(few(g, 2, func() *value {
				return object("path", pick(g, "metadata/name", "metadata/namespace", "spec/namespace", "subjects/namespace", "spec/ref"), "kind",
					g.maybe(60, "Namespace", "RoleBinding", "ClusterRoleBinding", "MyApp"), "create", g.maybe(50, "true"))
			})...))
		}
		return c
	case "Prefix", "Suffix", "PrefixSuffix":
		c := plugin(kind + "Transformer")
		if kind != "Suffix" {
			c.put("prefix", g.maybe(85, "x-", `"2"`, "a.b-"))
		}
		if kind != "Prefix" {
			c.put("suffix", g.maybe(85, "-x", `"2"`))
		}
		if g.rarely(15) {
			return c
		}
		return c.put("fieldSpecs", list(object("path", pick(g, "metadata/name", "metadata/name", "metadata/name", "spec/ref", "data/a"),
			"kind", g.maybe(30, "ConfigMap", "Deployment", "MyApp"), "create", g.maybe(10, "true"))))
	case "ImageTag":
		c := plugin("ImageTagTransformer").put("imageTag", g.imageEntry())
		if g.chance(40) {
			c.put("fieldSpecs", list(few(g, 2, g.fieldSpec)...))
		}
		return c
	case "ReplicaCount":
		return plugin("ReplicaCountTransformer").put("replica", object("name", g.scaled(), "count", pick(g, "0", "4"))).
			put("fieldSpecs", list(object("path", "spec/replicas", "create", g.maybe(60, "true"), "kind", g.maybe(60, "Deployment", "StatefulSet"))))
	case "PatchStrategicMerge":
		c := plugin("PatchStrategicMergeTransformer")
		if g.chance(60) {
			c.put("paths", list(few(g, 2, func() *value { return g.strategicEntry(dir) })...))
		}
		if g.chance(50) || len(c.keys) == 2 {
			c.put("patches", &value{text: "|", block: g.merge(g.target()).String()})
		}
		return c
	case "PatchJson6902":
		return g.renamed(plugin("PatchJson6902Transformer"), g.jsonEntry(dir), "patch", "jsonOp")
	case "Replacement":
		return plugin("ReplacementTransformer").put("replacements", list(few(g, 2, func() *value { return g.replacement(dir) })...))
	case "ValueAdd":
		return g.valueAdd(dir)
	case "Hash":
		return plugin("HashTransformer")
	default:
		return g.renamed(plugin("PatchTransformer"), g.patch(dir), "", "")
	}
}

// renamed adds the fields of an entry of a kustomization, one of them under another name.
func (g *grammar) renamed(c, entry *value, from, to string) *value {
	for i, key := range entry.keys {
		if key == from {
			key = to
		}
		c.put(key, entry.items[i])
	}
	return c
}

func (g *grammar) valueAdd(dir string) *value {
	c := plugin("ValueAddTransformer").put("value", g.maybe(80, "peach", `" pear "`, `"1"`, "a/b"))
	target := func() *value {
		t := object("fieldPath", pick(g, "metadata/namespace", "metadata/annotations/new", "data/a", "spec/ref", `data/a\/b`, "spec/template/spec/containers/[name=app]/image",
			"spec/replicas", "metadata/name"), "filePathPosition", g.maybe(50, "0", "1", "2", "99"))
		if g.chance(70) {
			t.put("selector", g.selector(g.target()))
		}
		return t
	}
	if g.chance(20) {
		f := &file{docs: []*value{object("targets", list(few(g, 2, target)...))}}
		return c.put("targetFilePath", g.write(dir, "targets", "yaml", f))
	}
	return c.put("targets", list(few(g, 2, target)...))
}

// validatorPlugin makes a transformer that mostly changes nothing.
func (g *grammar) validatorPlugin(dir string) *value {
	switch g.IntN(6) {
	case 0:
		return plugin("AnnotationsTransformer")
	case 1:
		return plugin("ImageTagTransformer").put("imageTag", object("name", "none", "newTag", "x"))
	case 2:
		return plugin("LabelTransformer").put("labels", object("validated-by", "fuzz")).put("fieldSpecs", list(object("path", "metadata/labels", "create", "true")))
	case 3:
		return plugin("NamespaceTransformer")
	default:
		return g.transformerPlugin(dir)
	}
}
