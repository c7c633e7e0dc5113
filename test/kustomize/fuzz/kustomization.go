package main

import "fmt"

// newTree makes the case of a seed.
func newTree(g *grammar) *tree {
	g.tree = &tree{files: map[string]*file{}}
	g.wild = g.chance(30)
	bases := []string{"base"}
	g.directory("base", nil, false)
	for i := range g.IntN(3) {
		dir := fmt.Sprintf("overlay%d", i)
		// Taking all that there is makes diamonds, which mostly fail; taking one makes a chain.
		below := []string{pick(g, bases...)}
		if g.rarely(20) {
			below = bases
		}
		g.directory(dir, below, false)
		bases = append(bases, dir)
	}
	g.tree.dir = bases[len(bases)-1]
	return g.tree
}

// directory makes a kustomization with files of its own on top of others.
func (g *grammar) directory(dir string, below []string, component bool) {
	k := object()
	if component {
		k.put("apiVersion", "kustomize.config.k8s.io/v1alpha1").put("kind", "Component")
	} else if g.chance(70) {
		k.put("apiVersion", "kustomize.config.k8s.io/v1beta1").put("kind", "Kustomization")
	}
	var resources []*value
	for _, b := range below {
		resources = append(resources, raw("../"+b))
	}
	for i := range g.IntN(4) - min(1, len(below)) + 1 {
		name := fmt.Sprintf("r%d.yaml", i)
		g.manifest(dir + "/" + name)
		resources = append(resources, raw(name))
	}
	if len(resources) > 0 {
		k.put("resources", list(resources...))
	}
	if !component && g.chance(15) {
		name := fmt.Sprintf("component%d", len(g.tree.files))
		g.directory(name, nil, true)
		k.put("components", list(raw("../"+name)))
	}
	g.fields(dir, k)
	if g.rarely(3) {
		k.put(pick(g, "metadata", "bogus", "commonlabels"), object("name", "x"))
	}
	g.tree.files[dir+"/kustomization.yaml"] = &file{docs: []*value{k}}
}

// manifest makes a file of resources.
func (g *grammar) manifest(path string) {
	f := &file{crlf: g.chance(3), mark: g.chance(2)}
	for range 1 + g.IntN(3) {
		doc := g.resource()
		if g.chance(3) && doc.flowable() {
			doc.flow = true
		}
		f.docs = append(f.docs, doc)
	}
	g.tree.files[path] = f
}

// fields adds some of what a kustomization can say, each a few times out of a hundred.
func (g *grammar) fields(dir string, k *value) {
	scale := pick(g, 2, 3, 5)
	all := []struct {
		weight int
		key    string
		make   func() *value
	}{
		{8, "namespace", func() *value { return raw(g.namespace()) }},
		{8, "namePrefix", func() *value { return raw(pick(g, "p-", "dev-", "a.", `"1"`)) }},
		{6, "nameSuffix", func() *value { return raw(pick(g, "-s", "-v2", `"1"`)) }},
		{6, "commonLabels", func() *value { return g.pairs(2) }},
		{6, "commonAnnotations", func() *value { return g.pairs(2) }},
		{8, "labels", func() *value { return list(few(g, 2, g.labels)...) }},
		{8, "images", func() *value { return list(few(g, 3, g.imageEntry)...) }},
		{6, "replicas", func() *value {
			return list(few(g, 2, func() *value { return object("name", g.scaled(), "count", pick(g, "0", "5", "3")) })...)
		}},
		{18, "patches", func() *value { return list(few(g, 3, func() *value { return g.patch(dir) })...) }},
		{6, "patchesStrategicMerge", func() *value { return list(few(g, 2, func() *value { return g.strategicEntry(dir) })...) }},
		{5, "patchesJson6902", func() *value { return list(few(g, 2, func() *value { return g.jsonEntry(dir) })...) }},
		{10, "configMapGenerator", func() *value { return list(few(g, 2, func() *value { return g.generator(dir, "ConfigMap") })...) }},
		{8, "secretGenerator", func() *value { return list(few(g, 2, func() *value { return g.generator(dir, "Secret") })...) }},
		{5, "generatorOptions", func() *value { return g.generatorOptions() }},
		{12, "replacements", func() *value { return list(few(g, 2, func() *value { return g.replacement(dir) })...) }},
		{8, "generators", func() *value { return g.plugins(dir, g.generatorPlugin) }},
		{12, "transformers", func() *value { return g.plugins(dir, g.transformerPlugin) }},
		{2, "validators", func() *value { return g.plugins(dir, g.validatorPlugin) }},
		{6, "vars", func() *value { return list(few(g, 2, g.variable)...) }},
		{4, "sortOptions", g.sortOptions},
		{4, "buildMetadata", func() *value {
			return list(raw(pick(g, "originAnnotations", "managedByLabel", "transformerAnnotations")))
		}},
		{3, "configurations", func() *value { return g.configuration(dir) }},
		{2, "crds", func() *value { return g.definitions(dir) }},
		{1, "openapi", func() *value { return object("version", "v1.21.2") }},
	}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, f := range all {
		if g.chance(f.weight * scale / 2) {
			k.put(f.key, f.make())
		}
	}
}

// scaled is the name of a resource with replicas, most times.
func (g *grammar) scaled() string {
	for range 20 {
		if m := g.target(); m.kind == "Deployment" || m.kind == "StatefulSet" || m.kind == "ReplicaSet" {
			return m.name
		}
	}
	return g.name()
}

func (g *grammar) labels() *value {
	l := object("pairs", g.pairs(2), "includeSelectors", g.maybe(40, "true", "true", "false"), "includeTemplates", g.maybe(30, "true"))
	if g.chance(25) {
		l.put("fields", list(few(g, 2, g.fieldSpec)...))
	}
	return l
}

func (g *grammar) fieldSpec() *value {
	return object("path", pick(g, "spec/template/metadata/labels", "metadata/labels", "spec/labels", "spec/selector", "spec/ref", "a/b", "spec/list[]/x", `metadata/annotations/a.b\/c`, "spec/template/spec/containers/env/value", "data/a", "spec/containers/image"),
		"create", g.maybe(50, "true", "false"), "kind", g.maybe(40, "Deployment", "MyApp", "Service"), "group", g.maybe(15, "apps", "example.com"), "version", g.maybe(10, "v1"))
}

func (g *grammar) imageEntry() *value {
	return object("name", pick(g, "nginx", "app", "reg.io/team/app", "reg.io:5000/app", "busybox", "ng.*", "localhost:5000/nginx"),
		"newName", g.maybe(40, "mirror.io/nginx", "other", "h:5000/x"), "newTag", g.maybe(50, "v2", `"1.0"`, `"1"`, "latest"), "digest", g.maybe(15, "sha256:abc"), "tagSuffix", g.maybe(10, "-fips"))
}

func (g *grammar) sortOptions() *value {
	o := object("order", pick(g, "fifo", "legacy", "legacy"))
	if g.rarely(10) {
		o.items[0].text = "bogus"
	}
	if o.items[0].text == "legacy" && g.chance(60) || g.rarely(20) {
		o.put("legacySortOptions", object("orderFirst", list(raw(pick(g, "Service", "MyApp"))), "orderLast", list(raw(pick(g, "ConfigMap", "Namespace", "Deployment")))))
	}
	return o
}

// text puts a file with this text beside the kustomization and gives its name.
func (g *grammar) write(dir, stem, ext string, f *file) string {
	name := fmt.Sprintf("%s%d.%s", stem, len(g.tree.files), ext)
	g.tree.files[dir+"/"+name] = f
	return name
}

func (g *grammar) configuration(dir string) *value {
	c := object()
	sections := []string{"namePrefix", "nameSuffix", "namespace", "commonLabels", "commonAnnotations", "varReference", "images", "replicas"}
	for range 1 + g.IntN(2) {
		c.put(g.unused(c, func() string { return pick(g, sections...) }), list(few(g, 2, g.fieldSpec)...))
	}
	if g.chance(60) {
		c.put("nameReference", list(object("kind", pick(g, "ConfigMap", "Secret", "Service", "MyApp"), "version", g.maybe(30, "v1"),
			"fieldSpecs", list(object("path", pick(g, "spec/ref", "spec/configRef/name", "spec/configRef"), "kind", g.maybe(80, "MyApp"))))))
	}
	return list(raw(g.write(dir, "config", "yaml", &file{docs: []*value{c}})))
}

func (g *grammar) definitions(dir string) *value {
	spec := object("properties", object(
		"ref", object("type", "string", "x-kubernetes-object-ref-api-version", "v1", "x-kubernetes-object-ref-kind", pick(g, "ConfigMap", "Secret")),
		"configRef", object("x-kubernetes-object-ref-api-version", "v1", "x-kubernetes-object-ref-kind", "ConfigMap", "x-kubernetes-object-ref-name-key", g.maybe(50, "name"))))
	doc := object("com.example.v1.MyApp", object("Schema", object("properties", object("apiVersion", object("type", "string"), "kind", object("type", "string"), "metadata", object("$ref", "x"),
		"spec", object("$ref", "com.example.v1.Spec")))), "com.example.v1.Spec", object("Schema", spec))
	return list(raw(g.write(dir, "crd", pick(g, "json", "yaml"), &file{docs: []*value{doc}})))
}

func (g *grammar) variable() *value {
	name := pick(g, "VAR", "B", "TAG")
	for i := 0; g.variables[name] && i < 3 && !g.rarely(20); i++ {
		name += "1"
	}
	g.variables[name] = true
	v := object("name", name)
	m := g.target()
	v.put("objref", object("apiVersion", m.apiVersion, "kind", m.kind, "name", m.name, "namespace", g.maybe(10, "ns1")))
	if g.chance(60) {
		path := "metadata.name"
		if g.rarely(20) {
			path = pick(g, "metadata.namespace", "metadata.labels.app", "data.a", "spec.replicas", "spec.template.spec.containers[0].image", "spec.ports[0].port", "spec")
		} else if m.doc != nil {
			path = g.fieldPath(m.doc, false)
		}
		v.put("fieldref", object("fieldPath", quoted(path)))
	}
	return v
}
